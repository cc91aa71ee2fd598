import { beforeEach, describe, expect, test } from 'vitest'

import { casesOfPayment } from '../../src/db/cases.js'
import { bookExternalRefund } from '../../src/db/external-refunds.js'
import { newId } from '../../src/db/ids.js'
import { storeQueriedRefund } from '../../src/db/refund-facts.js'
import type { RefundRow } from '../../src/db/refunds.js'
import { findResolution, recordResolution } from '../../src/db/resolutions.js'
import { inTransaction } from '../../src/db/transaction.js'
import type { RefundFact, RefundStatus } from '../../src/domain/channel.js'
import { fen } from '../../src/domain/money.js'
import type { ResolutionVerb } from '../../src/domain/resolution.js'
import { createDueRefunds } from '../../src/engine/due-refunds.js'
import { balances } from '../../src/ledger/journal.js'
import { refundTraces } from '../support/refund-traces.js'
import { failureOf, runActivity } from '../support/run-activity.js'
import { refundFact } from '../support/seed.js'
import { useWorkshop } from '../support/workshop.js'

const workshop = useWorkshop()
const { clock, channel } = workshop
const HOUR_MS = 3_600_000

beforeEach(() => {
  channel.calls.length = 0
  channel.answer('submitRefund').answer('queryRefund')
  clock.advance(HOUR_MS)
})

const read = (refund: RefundRow) => workshop.seed.readRefund(refund.id)
const traces = (refund: RefundRow) => refundTraces(workshop.seed, refund.id)
const attempt = (refund: RefundRow) => runActivity(workshop.activities.refundAtChannel, [refund.id])
const confirm = (refund: RefundRow) => runActivity(workshop.activities.confirmRefund, [refund.id])

/** Settles what a query says of a refund. */
async function settle(refund: RefundRow, fact: RefundFact) {
  clock.advance(1_000)
  await storeQueriedRefund(workshop.seed.worker, await read(refund), fact, clock.now())
  return runActivity(workshop.activities.settleRefund, [refund.id])
}

/** A refund of 6000 of 10000 that was sent, and accepted unless said otherwise. */
async function sent(isAccepted = true): Promise<RefundRow> {
  const { seed } = workshop
  const refund = await seed.approvedRefund(await seed.paidPayment(), 6_000)
  channel.answer(
    'submitRefund',
    isAccepted
      ? {
          kind: 'accepted',
          refundId: refundFact(refund, 'success').refundId,
          refundFen: fen(6_000),
          settlementFen: fen(6_000),
        }
      : { kind: 'unknown', code: 'timeout', message: '', retry: 'soon' },
  )
  await failureOf(attempt(refund))
  return read(refund)
}

/** Somebody gives 6000 back in the portal while that one is on its way. */
async function portalTakes(refund: RefundRow): Promise<void> {
  const { outRefundNo, refundId } = refundFact(refund, 'success')
  const fact = refundFact(refund, 'success', {
    outRefundNo: `P${outRefundNo.slice(1)}`,
    refundId: `6${refundId.slice(1)}`,
  })
  const { paymentId } = refund
  await inTransaction(workshop.seed.worker, (tx) =>
    bookExternalRefund(tx, { paymentId, fact, now: clock.now() }),
  )
}

async function counters({ paymentId }: RefundRow): Promise<number[]> {
  const payment = await workshop.seed.readPayment(paymentId)
  return [payment.reservedFen, payment.refundedFen, payment.settledFen, payment.overReservedFen]
}

const casesOf = async ({ paymentId }: RefundRow) =>
  (await casesOfPayment(workshop.seed.api, paymentId))
    .map(({ kind, state, amountFen }) => `${kind} ${state} ${amountFen}`)
    .toSorted()

const sumOfBookFen = async () =>
  (await balances(workshop.seed.owner)).reduce((sum, { balanceFen }) => sum + balanceFen, 0)

async function resolve(refund: RefundRow, verb: ResolutionVerb): Promise<string | null> {
  const { seed, activities } = workshop
  const id = newId(clock.now())
  const speaker = { principalId: seed.approver, actingUser: 'manager' }
  const said = { id, refundId: refund.id, verb, ...speaker, evidence: 'seen', now: clock.now() }
  await recordResolution(seed.api, said)
  await runActivity(activities.resolveRefund, [refund.id, id])
  return (await findResolution(seed.worker, id))?.outcome ?? null
}

/** What the loop over slow refunds tells the workflow of this one. */
async function toldByLoop(refund: RefundRow): Promise<number> {
  const { seed } = workshop
  await seed.look('update refunds set due_at = null')
  await seed.look('update refunds set due_at = $2 where id = $1', refund.id, clock.now())
  let told = 0
  await createDueRefunds({
    database: seed.worker,
    clock,
    openAccount: async () => ({ account: seed.account, channel }),
    onError: (error) => {
      throw error
    },
    engine: {
      refundFact: async () => {
        told += 1
      },
      refundKick: async () => undefined,
    },
  })()
  return told
}

describe('a success beyond what was paid', () => {
  test.each([
    ['accepted before', true],
    ['never seen accepted', false],
  ])('%s: is told, stands in transit, and opens one case', async (_name, isAccepted) => {
    const refund = await sent(isAccepted)
    await portalTakes(refund)
    expect(await counters(refund)).toEqual([6_000, 6_000, 0, 2_000])
    const progress = await settle(refund, refundFact(refund, 'success'))
    expect(progress).toMatchObject({ state: 'needs_attention', cause: 'beyond_paid' })
    expect(await read(refund)).toMatchObject({
      state: 'needs_attention',
      cause: 'beyond_paid',
      refundId: refundFact(refund, 'success').refundId,
      inTransit: true,
      transitRound: 1,
      doneAt: null,
      acceptedAt: expect.any(Date),
    })
    expect(await counters(refund)).toEqual([6_000, 6_000, 0, 2_000])
    expect(await sumOfBookFen()).toBe(0)
    expect(await casesOf(refund)).toEqual([
      'refund_beyond_paid open 6000',
      'refunds_exceed_payment open 2000',
    ])
    const after = await traces(refund)
    expect(after.journal).toEqual(['J1.1 6000'])
    expect(after.events.at(-1)).toBe('refund.needs_attention')
    expect(after.facts).toEqual(['query success needs_attention'])
  })

  test('said again: moves nothing, and is asked for ever more rarely', async () => {
    const refund = await sent()
    await portalTakes(refund)
    await settle(refund, refundFact(refund, 'success'))
    const before = [await traces(refund), await casesOf(refund)]
    channel.answer('queryRefund', refundFact(refund, 'success'))
    expect(await failureOf(attempt(refund))).toMatchObject({ type: 'PROCESSING', benign: true })
    expect(await toldByLoop(refund)).toBe(0)
    expect(await settle(refund, refundFact(refund, 'success'))).toMatchObject({
      state: 'needs_attention',
    })
    expect([await traces(refund), await casesOf(refund)]).toEqual(before)
  })

  test('its notification, late: is confirmed by the question and done with', async () => {
    const refund = await sent()
    await portalTakes(refund)
    await settle(refund, refundFact(refund, 'success'))
    clock.advance(1_000)
    await workshop.seed.refundNotice(refund, refundFact(refund, 'success'))
    channel.answer('queryRefund', refundFact(refund, 'success'))
    expect(await confirm(refund)).toMatchObject({ state: 'needs_attention', cause: 'beyond_paid' })
    expect((await traces(refund)).facts).toEqual([
      'query success needs_attention',
      'notify success needs_attention',
    ])
  })

  test('back with the merchant after all: leaves transit, and it fits again', async () => {
    const refund = await sent()
    await portalTakes(refund)
    await settle(refund, refundFact(refund, 'success'))
    await settle(refund, refundFact(refund, 'abnormal'))
    expect(await read(refund)).toMatchObject({ cause: 'abnormal', inTransit: false })
    await settle(refund, refundFact(refund, 'closed'))
    expect(await read(refund)).toMatchObject({ state: 'failed' })
    expect((await traces(refund)).journal).toEqual(['J1.1 6000', 'J4.1 6000'])
    expect(await counters(refund)).toEqual([0, 6_000, 0, 0])
    expect(await sumOfBookFen()).toBe(0)
  })

  test('what people say: only asks the channel again', async () => {
    const refund = await sent()
    await portalTakes(refund)
    await settle(refund, refundFact(refund, 'success'))
    channel.answer('queryRefund', refundFact(refund, 'success'))
    expect(await resolve(refund, 'retry')).toBe('asked_again')
    expect(await resolve(refund, 'settle')).toBe('state_conflict')
    expect(await resolve(refund, 'fail')).toBe('state_conflict')
    channel.answer('queryRefund', { kind: 'not_exist' })
    expect(await resolve(refund, 'fail')).toBe('not_proved')
    expect(await read(refund)).toMatchObject({ cause: 'beyond_paid', submitCount: 1 })
    // Closed is the channel's word, so it is that which frees the amount.
    channel.answer('queryRefund', refundFact(refund, 'closed'))
    expect(await resolve(refund, 'fail')).toBe('state_conflict')
    expect(await read(refund)).toMatchObject({ state: 'failed', inTransit: false })
    expect((await traces(refund)).journal).toEqual(['J1.1 6000', 'J3.1 6000'])
  })

  test('whoever writes it as done: is refused by the database', async () => {
    const refund = await sent()
    await portalTakes(refund)
    const done = { state: 'done', cause: null, doneAt: clock.now() } as const
    await expect(workshop.seed.change(refund, done)).rejects.toThrow(/refunded/)
  })
})

const OTHER_AMOUNTS: readonly [string, Partial<RefundFact>][] = [
  ['another amount', { refundFen: fen(5_999) }],
  ["another order's total", { totalFen: fen(9_999) }],
]
const STATUSES: readonly RefundStatus[] = ['processing', 'success', 'closed', 'abnormal']

describe('an answer that shows other amounts', () => {
  test.each(
    OTHER_AMOUNTS.flatMap(([name, other]) => STATUSES.map((s) => [s, name, other] as const)),
  )('%s with %s: needs a person, and nothing is booked', async (status, _name, other) => {
    const refund = await sent()
    channel.answer('queryRefund', refundFact(refund, status, other))
    await attempt(refund)
    expect(await runActivity(workshop.activities.settleRefund, [refund.id])).toMatchObject({
      state: 'needs_attention',
      cause: 'amount_differs',
    })
    expect(await counters(refund)).toEqual([6_000, 0, 0, 0])
    expect((await traces(refund)).journal).toEqual(['J1.1 6000'])
    expect(await casesOf(refund)).toEqual(['refund_differs open 6000'])
    expect(await failureOf(attempt(refund))).toMatchObject({ type: 'PROCESSING' })
    expect(await toldByLoop(refund)).toBe(0)
  })

  test.each([
    ['success', 'done', ['J1.1 6000', 'J2.1 6000']],
    ['closed', 'failed', ['J1.1 6000', 'J3.1 6000']],
    ['abnormal', 'needs_attention', ['J1.1 6000', 'J4.1 6000']],
  ] as const)('and then the right ones, %s: is %s', async (status, state, journal) => {
    const refund = await sent()
    await settle(refund, refundFact(refund, status, { refundFen: fen(1) }))
    expect(
      await settle(refund, refundFact(refund, status, { totalFen: fen(10_000) })),
    ).toMatchObject({ state, cause: state === 'needs_attention' ? 'abnormal' : null })
    expect((await traces(refund)).journal).toEqual(journal)
    expect(await sumOfBookFen()).toBe(0)
  })

  test('proves nothing to people, who can only ask again', async () => {
    const refund = await sent()
    await settle(refund, refundFact(refund, 'closed', { refundFen: fen(1) }))
    channel.answer('queryRefund', refundFact(refund, 'closed', { refundFen: fen(1) }))
    expect(await resolve(refund, 'retry')).toBe('asked_again')
    expect(await resolve(refund, 'settle')).toBe('not_proved')
    expect(await resolve(refund, 'fail')).toBe('not_proved')
  })
})

describe('a notification that shows another amount', () => {
  const notify = (refund: RefundRow) =>
    workshop.seed.refundNotice(refund, refundFact(refund, 'success', { refundFen: fen(1) }))

  test('and a question that shows the right one: the question is believed', async () => {
    const refund = await sent()
    await notify(refund)
    channel.answer('queryRefund', refundFact(refund, 'success'))
    expect(await confirm(refund)).toMatchObject({ state: 'done' })
  })

  test('and a question that shows the same: needs a person', async () => {
    const refund = await sent()
    await notify(refund)
    channel.answer('queryRefund', refundFact(refund, 'success', { refundFen: fen(1) }))
    expect(await confirm(refund)).toMatchObject({
      state: 'needs_attention',
      cause: 'amount_differs',
    })
    expect((await traces(refund)).facts.toSorted()).toEqual([
      'notify success needs_attention',
      'query success needs_attention',
    ])
  })
})

describe('a success of what had ended here', () => {
  /** Accepted, and then ended without the channel having given it back. */
  async function ended(state: 'failed' | 'settled'): Promise<RefundRow> {
    const refund = await sent()
    await settle(refund, refundFact(refund, state === 'failed' ? 'closed' : 'abnormal'))
    return state === 'failed'
      ? read(refund)
      : workshop.seed.change(await read(refund), { state, cause: null })
  }

  test.each(['failed', 'settled'] as const)(
    'as %s: moves nothing, and opens one case',
    async (state) => {
      const refund = await ended(state)
      const before = await traces(refund)
      clock.advance(1_000)
      await workshop.seed.refundNotice(refund, refundFact(refund, 'success'))
      expect(await confirm(refund)).toMatchObject({ state })
      const { facts, ...after } = await traces(refund)
      expect({ ...after, facts: before.facts }).toEqual(before)
      expect(facts.at(-1)).toBe(`notify success ${state}`)
      expect(await casesOf(refund)).toEqual(['refund_after_end open 6000'])
      expect(channel.names().filter((call) => call === 'queryRefund')).toEqual([])
    },
  )

  test('its close or its return, told late: opens none', async () => {
    const refund = await ended('settled')
    for (const status of ['abnormal', 'closed', 'processing'] as const) {
      await workshop.seed.refundNotice(refund, refundFact(refund, status))
    }
    await confirm(refund)
    expect(await casesOf(refund)).toEqual([])
  })
})

import { beforeEach, describe, expect, test } from 'vitest'

import { newId } from '../../src/db/ids.js'
import { storeFact } from '../../src/db/inbox.js'
import type { RefundChange, RefundRow } from '../../src/db/refunds.js'
import type { RefundFact, RefundOutcome } from '../../src/domain/channel.js'
import { fen } from '../../src/domain/money.js'
import { refundFactKey } from '../../src/domain/refund.js'
import { balances, journalOf } from '../../src/ledger/journal.js'
import { refundTraces } from '../support/refund-traces.js'
import { failureOf, runActivity } from '../support/run-activity.js'
import { paidFact, refundFact } from '../support/seed.js'
import { useWorkshop } from '../support/workshop.js'

const workshop = useWorkshop()
const { clock, channel } = workshop

beforeEach(() => {
  channel.calls.length = 0
  channel.answer('queryRefund')
  clock.advance(60_000)
})

const traces = (refund: RefundRow) => refundTraces(workshop.seed, refund.id)
const settle = (refund: RefundRow) => {
  clock.advance(1_000)
  return runActivity(workshop.activities.settleRefund, [refund.id])
}
const confirm = (refund: RefundRow) => runActivity(workshop.activities.confirmRefund, [refund.id])

/** A refund that was sent; by default nothing is known of its acceptance. */
async function sent(change: RefundChange = {}): Promise<RefundRow> {
  const refund = await workshop.seed.approvedRefund(await workshop.seed.paidPayment())
  const now = clock.now()
  const refunding = { state: 'refunding', cause: 'unknown', firstSubmittedAt: now } as const
  const { state = 'refunding', ...rest } = change
  const moved = await workshop.seed.change(refund, { ...refunding, ...rest })
  return state === 'refunding' ? moved : workshop.seed.change(moved, { state })
}

async function storeQueried(refund: RefundRow, fact: RefundFact): Promise<void> {
  await storeFact(workshop.seed.worker, {
    id: newId(clock.now()),
    accountId: refund.accountId,
    kind: 'refund',
    businessKey: refundFactKey(refund.outRefundNo, fact.status, 'query'),
    subjectId: refund.id,
    source: 'query',
    verifiedBy: 'query',
    fact,
    now: clock.now(),
  })
}

describe('settleRefund', () => {
  test.each([
    {
      name: 'a success never seen accepted: both entries are posted',
      status: 'success',
      state: 'done',
      journal: ['J1.1 1000', 'J2.1 1000'],
      counters: { reservedFen: 0, refundedFen: 1_000 },
    },
    {
      name: 'a close never seen accepted: posts nothing and frees the amount',
      status: 'closed',
      state: 'failed',
      journal: [],
      counters: { reservedFen: 0, refundedFen: 0 },
    },
    {
      name: 'an abnormal one never seen accepted: posts nothing and holds the amount',
      status: 'abnormal',
      state: 'needs_attention',
      journal: [],
      counters: { reservedFen: 1_000, refundedFen: 0 },
    },
  ] as const)('$name', async ({ status, state, journal, counters }) => {
    const refund = await sent()
    await storeQueried(
      refund,
      refundFact(refund, status, { successAt: '2026-03-01T10:00:09.000Z' }),
    )
    const progress = await settle(refund)
    expect(progress).toMatchObject({ state })
    expect(await workshop.seed.readPayment(refund.paymentId)).toMatchObject(counters)
    const after = await traces(refund)
    expect(after).toEqual({
      journal,
      events: ['refund.requested', `refund.${state}`],
      audit: ['api_key refund.request', `channel refund.${state}`],
      facts: [`query ${status} ${state}`],
    })
    expect(await settle(refund)).toMatchObject({ state })
    expect(await traces(refund)).toEqual(after)
  })

  test('coupons: go back to their cost, the rest to returns', async () => {
    const refund = await sent()
    await storeQueried(refund, refundFact(refund, 'success', { settlementFen: fen(900) }))
    await settle(refund)
    expect((await traces(refund)).journal).toEqual(['J1.1 900', 'J2.1 900', 'J2.2 100'])
  })

  test('a refund of money that was held: leaves suspense and touches no returns', async () => {
    const { seed, activities } = workshop
    const held = await seed.payment()
    await seed.paymentFact(
      held,
      paidFact(held, { totalFen: fen(9_999), settlementFen: fen(9_999) }),
    )
    await activities.settlePayment(held.id)
    // Nobody asks for such a refund yet, so the owner writes what asking would.
    const [row] = await seed.look<{ id: string }>(
      `insert into refunds (id, merchant_id, payment_id, account_id, api_version, mch_id,
         out_refund_no, amount_fen, total_fen, reason, requested_by, requested_for, expires_at,
         created_at, updated_at)
       select gen_random_uuid(), merchant_id, id, account_id, api_version, mch_id, 'R-held', 9999,
         total_fen, 'x', $2, 'clerk', now(), now(), now() from payments where id = $1
       returning id`,
      held.id,
      seed.asker,
    )
    const asked = await seed.readRefund(row?.id ?? '')
    const now = clock.now()
    const approved = await seed.change(asked, { state: 'approved' })
    const refunding = { state: 'refunding', cause: 'unknown', firstSubmittedAt: now } as const
    const refund = await seed.change(approved, refunding)
    await storeQueried(refund, refundFact(refund, 'success'))
    await settle(refund)
    const lines = await journalOf(seed.api, [{ kind: 'refund', id: refund.id }])
    expect(lines.map(({ rule, debit }) => [rule, debit.split(':')[0]])).toEqual([
      ['J1', 'refunds_in_transit'],
      ['J2', 'suspense'],
    ])
  })

  test('a settlement larger than the refund: is cut to the refund', async () => {
    const refund = await sent()
    await storeQueried(refund, refundFact(refund, 'success', { settlementFen: fen(5_000) }))
    await settle(refund)
    expect((await traces(refund)).journal).toEqual(['J1.1 1000', 'J2.1 1000'])
  })

  test('processing: moves nothing and is marked', async () => {
    const refund = await sent()
    await storeQueried(refund, refundFact(refund, 'processing'))
    expect(await settle(refund)).toMatchObject({ state: 'refunding' })
    expect(await traces(refund)).toMatchObject({
      journal: [],
      facts: ['query processing refunding'],
    })
  })

  test('a notification alone: moves nothing and waits', async () => {
    const refund = await sent()
    await workshop.seed.refundNotice(refund, refundFact(refund, 'success'))
    expect(await settle(refund)).toMatchObject({ state: 'refunding' })
    expect(await traces(refund)).toMatchObject({ journal: [], facts: ['notify success -'] })
  })

  test('a notification beside a query: is marked with it', async () => {
    const refund = await sent()
    await workshop.seed.refundNotice(refund, refundFact(refund, 'success'))
    clock.advance(1_000)
    await storeQueried(refund, refundFact(refund, 'success'))
    await settle(refund)
    expect((await traces(refund)).facts).toEqual(['notify success done', 'query success done'])
  })

  test('a notification after the end: is marked and changes nothing', async () => {
    const refund = await sent()
    await storeQueried(refund, refundFact(refund, 'success'))
    await settle(refund)
    const before = await workshop.seed.readRefund(refund.id)
    await workshop.seed.refundNotice(refund, refundFact(refund, 'closed'))
    await settle(refund)
    expect(await workshop.seed.readRefund(refund.id)).toEqual(before)
    expect((await traces(refund)).facts).toEqual(['query success done', 'notify closed done'])
  })

  test('a channel success: also ends a refund that a person looks at', async () => {
    const refund = await sent({ state: 'needs_attention', cause: 'refused' })
    await storeQueried(refund, refundFact(refund, 'success'))
    expect(await settle(refund)).toMatchObject({ state: 'done', cause: null })
  })

  test('the book: sums to zero after all of this', async () => {
    const sum = (await balances(workshop.seed.owner)).reduce(
      (total, each) => total + each.balanceFen,
      0,
    )
    expect(sum).toBe(0)
  })
})

describe('confirmRefund', () => {
  test('a notified success the channel confirms: is done after one question', async () => {
    const refund = await sent()
    await workshop.seed.refundNotice(refund, refundFact(refund, 'success'))
    channel.answer('queryRefund', refundFact(refund, 'success'))
    expect(await confirm(refund)).toMatchObject({ state: 'done' })
    expect(channel.names()).toEqual(['queryRefund'])
  })

  test.each<[string, (refund: RefundRow) => RefundOutcome]>([
    ['is processing', (refund) => refundFact(refund, 'processing')],
    ['is not known', () => ({ kind: 'not_exist' })],
    ['has no answer', () => ({ kind: 'unknown', code: 'timeout', message: '', retry: 'soon' })],
    ['is refused', () => ({ kind: 'refused', code: 'SIGNERROR', message: '' })],
  ])('a notified success of which the query %s: is not confirmed', async (_name, outcome) => {
    const refund = await sent()
    await workshop.seed.refundNotice(refund, refundFact(refund, 'success'))
    channel.answer('queryRefund', outcome(refund))
    expect(await failureOf(confirm(refund))).toEqual({
      type: 'NOT_CONFIRMED',
      retryMs: 1_000,
      benign: true,
    })
    expect(await workshop.seed.readRefund(refund.id)).toMatchObject({ state: 'refunding' })
    expect(await traces(refund)).toMatchObject({ journal: [], facts: ['notify success -'] })
  })

  test('a forged success of a closed refund: the query is believed', async () => {
    const refund = await sent()
    await workshop.seed.refundNotice(refund, refundFact(refund, 'success'))
    channel.answer('queryRefund', refundFact(refund, 'closed'))
    expect(await confirm(refund)).toMatchObject({ state: 'failed' })
  })

  test('a refund that was never sent: asks nothing', async () => {
    const refund = await workshop.seed.refund(await workshop.seed.paidPayment())
    await workshop.seed.refundNotice(refund, refundFact(refund, 'success'))
    expect(await confirm(refund)).toMatchObject({ state: 'pending' })
    expect(channel.names()).toEqual([])
  })
})

import { beforeEach, describe, expect, test } from 'vitest'

import { noCredentials } from '../../src/activities/failures.js'
import { createActivities } from '../../src/activities/index.js'
import { newId } from '../../src/db/ids.js'
import type { RefundRow } from '../../src/db/refunds.js'
import { findResolution, recordResolution } from '../../src/db/resolutions.js'
import type { RefundOutcome, SubmitOutcome } from '../../src/domain/channel.js'
import { fen } from '../../src/domain/money.js'
import type { ResolutionVerb } from '../../src/domain/resolution.js'
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
const settle = (refund: RefundRow) => workshop.activities.settleRefund(refund.id)

const accepts = (refund: RefundRow): SubmitOutcome => ({
  kind: 'accepted',
  refundId: `50000${refund.outRefundNo.slice(1)}`,
  refundFen: fen(refund.amountFen),
  settlementFen: fen(refund.amountFen),
})

async function approved(): Promise<RefundRow> {
  return workshop.seed.approvedRefund(await workshop.seed.paidPayment())
}

async function sent(outcome: (refund: RefundRow) => SubmitOutcome): Promise<RefundRow> {
  const refund = await approved()
  channel.answer('submitRefund', outcome(refund))
  await attempt(refund).catch(() => undefined)
  return read(refund)
}

const refused = (code = 'ERROR') =>
  sent(() => ({ kind: 'refused', code, message: 'it will not' }) as const)

/** Accepted, and then the card took no money. */
async function abnormal(): Promise<RefundRow> {
  const refund = await sent(accepts)
  channel.answer('queryRefund', refundFact(refund, 'abnormal'))
  await attempt(refund)
  await settle(refund)
  return read(refund)
}

interface By {
  readonly principalId?: string
  readonly actingUser?: string
}

async function say(refund: RefundRow, verb: ResolutionVerb, by: By = {}): Promise<string> {
  const { principalId = workshop.seed.approver, actingUser = 'manager' } = by
  const id = newId(clock.now())
  await recordResolution(workshop.seed.api, {
    id,
    refundId: refund.id,
    verb,
    principalId,
    actingUser,
    evidence: 'transfer 20260301-7',
    now: clock.now(),
  })
  return id
}

async function resolve(refund: RefundRow, verb: ResolutionVerb, by: By = {}): Promise<string> {
  clock.advance(1_000)
  const id = await say(refund, verb, by)
  await runActivity(workshop.activities.resolveRefund, [refund.id, id])
  return outcomeOf(id)
}

const outcomeOf = async (id: string): Promise<string> =>
  (await findResolution(workshop.seed.worker, id))?.outcome ?? '-'

const OTHER = { actingUser: 'owner' } as const
/** A key that neither asked nor decided anything. */
async function thirdKey(): Promise<string> {
  const id = newId(clock.now())
  await workshop.seed.look(
    `insert into api_keys (id, merchant_id, name, key_hash, scopes, created_at)
     values ($1, 'teahouse', 'third', $2, '{refunds:decide}', now())`,
    id,
    Buffer.from(id),
  )
  return id
}

describe('sending a stuck refund again', () => {
  test('the card was refilled: the same number goes, is taken and done', async () => {
    const refund = await abnormal()
    expect(await resolve(refund, 'retry')).toBe('applied')
    expect(await read(refund)).toMatchObject({ state: 'refunding', cause: null })
    channel.answer('submitRefund', accepts(refund))
    expect(await failureOf(attempt(refund))).toMatchObject({ type: 'PROCESSING' })
    channel.answer('queryRefund', refundFact(refund, 'success'))
    await attempt(refund)
    expect(await settle(refund)).toMatchObject({ state: 'done' })
    const { journal, events, audit } = await traces(refund)
    expect(journal).toEqual(['J1.1 1000', 'J4.1 1000', 'J1.2 1000', 'J2.1 1000'])
    expect(events.slice(-3)).toEqual(['refund.retried', 'refund.accepted', 'refund.done'])
    expect(audit).toContain('api_key refund.retried')
  })

  test('abnormal a second time: needs a person again, and nothing turns in a circle', async () => {
    const refund = await abnormal()
    for (const round of [2, 3]) {
      await resolve(refund, 'retry')
      channel.answer('submitRefund', accepts(refund))
      await failureOf(attempt(refund))
      channel.answer('queryRefund', refundFact(refund, 'abnormal'))
      await attempt(refund)
      expect(await settle(refund)).toMatchObject({ state: 'needs_attention', cause: 'abnormal' })
      expect((await traces(refund)).journal).toHaveLength(2 * round)
    }
    const { facts } = await traces(refund)
    expect(facts).toEqual(Array(3).fill('query abnormal needs_attention'))
  })

  test('a fact that was applied before: is asked for again later, not at once', async () => {
    const refund = await abnormal()
    // As if it had been sent again without the count of its sends.
    await workshop.seed.change(refund, { state: 'refunding', cause: 'accepted' })
    channel.answer('queryRefund', refundFact(refund, 'abnormal'))
    expect(await failureOf(attempt(refund))).toMatchObject({ type: 'PROCESSING' })
  })

  test.each(['approved', 'refunding'] as const)(
    'a refund that is %s: only has its question begun anew',
    async (state) => {
      const refund = state === 'approved' ? await approved() : await sent(accepts)
      expect(await resolve(refund, 'retry')).toBe('asked_again')
      expect(await read(refund)).toMatchObject({ state })
    },
  )
})

describe('settled by other means', () => {
  test('abnormal, with evidence and a second person: is settled and booked', async () => {
    const refund = await abnormal()
    channel.answer('queryRefund', refundFact(refund, 'abnormal'))
    expect(await resolve(refund, 'settle')).toBe('awaiting_second')
    expect(await read(refund)).toMatchObject({ state: 'needs_attention' })
    const third = await thirdKey()
    const confirmed = await say(refund, 'settle', { principalId: third, ...OTHER })
    await runActivity(workshop.activities.resolveRefund, [refund.id, confirmed])
    const { outcome, proof } = (await findResolution(workshop.seed.worker, confirmed)) ?? {}
    expect(outcome).toBe('applied')
    expect(proof).toMatchObject({
      proves: 'returned',
      askedAt: clock.now().toISOString(),
      answer: { status: 'abnormal', outRefundNo: refund.outRefundNo },
    })
    expect(await read(refund)).toMatchObject({ state: 'settled' })
    const payment = await workshop.seed.readPayment(refund.paymentId)
    expect(payment).toMatchObject({ reservedFen: 0, refundedFen: 0, settledFen: 1_000 })
    const { journal, events } = await traces(refund)
    expect(journal).toEqual(['J1.1 1000', 'J4.1 1000', 'J5.1 1000'])
    expect(events.at(-1)).toBe('refund.settled')
  })

  test.each<[string, By]>([
    ['the same key under another name', { actingUser: 'somebody else' }],
    ['the same name with another key', { actingUser: ' MANAGER' }],
    ['who asked for the refund', { actingUser: 'Clerk' }],
  ])('confirmed by %s: is refused', async (name, by) => {
    const refund = await abnormal()
    channel.answer('queryRefund', refundFact(refund, 'abnormal'))
    await resolve(refund, 'settle')
    const principalId = name.includes('same key') ? workshop.seed.approver : await thirdKey()
    expect(await resolve(refund, 'settle', { principalId, ...by })).toBe('same_principal')
    expect(await read(refund)).toMatchObject({ state: 'needs_attention' })
  })

  test('confirmed after it was sent again: what was said before does not count', async () => {
    const refund = await abnormal()
    channel.answer('queryRefund', refundFact(refund, 'abnormal'))
    await resolve(refund, 'settle')
    await resolve(refund, 'retry')
    channel.answer('submitRefund', accepts(refund))
    await failureOf(attempt(refund))
    await attempt(refund)
    await settle(refund)
    const principalId = await thirdKey()
    expect(await resolve(refund, 'settle', { principalId, ...OTHER })).toBe('awaiting_second')
  })

  test('the channel says success meanwhile: the refund is done, whatever was said', async () => {
    const refund = await abnormal()
    channel.answer('queryRefund', refundFact(refund, 'success'))
    expect(await resolve(refund, 'settle')).toBe('state_conflict')
    expect(await read(refund)).toMatchObject({ state: 'done' })
  })

  test.each<[string, RefundOutcome['kind'] | 'processing', string]>([
    ['is still working', 'processing', 'still_processing'],
    ['does not answer', 'unknown', 'channel_silent'],
    ['refuses to say', 'refused', 'channel_silent'],
  ])('the channel %s: nothing is changed, and it says why', async (_name, kind, outcome) => {
    const refund = await abnormal()
    channel.answer(
      'queryRefund',
      kind === 'processing'
        ? refundFact(refund, 'processing')
        : ({ kind, code: 'x', message: '', retry: 'soon' } as RefundOutcome),
    )
    expect(await resolve(refund, 'settle')).toBe(outcome)
    expect(await resolve(refund, 'fail')).toBe(outcome)
    expect(await read(refund)).toMatchObject({ state: 'needs_attention' })
  })
})

describe('failed for good', () => {
  test('closed at the channel: frees the amount', async () => {
    const refund = await abnormal()
    channel.answer('queryRefund', refundFact(refund, 'closed'))
    expect(await resolve(refund, 'fail')).toBe('applied')
    expect(await read(refund)).toMatchObject({ state: 'failed' })
    const payment = await workshop.seed.readPayment(refund.paymentId)
    expect(payment).toMatchObject({ reservedFen: 0 })
  })

  test('the money came back: the buyer is still owed', async () => {
    const refund = await abnormal()
    channel.answer('queryRefund', refundFact(refund, 'abnormal'))
    expect(await resolve(refund, 'fail')).toBe('still_owed')
  })

  test('refused each time, and not known to the channel: was never taken', async () => {
    const refund = await refused()
    channel.answer('queryRefund', { kind: 'not_exist' })
    expect(await resolve(refund, 'fail')).toBe('applied')
    expect(await read(refund)).toMatchObject({ state: 'failed' })
    expect((await traces(refund)).journal).toEqual([])
  })

  test('an answer was missed before the refusal: proves nothing for a day', async () => {
    const refund = await sent(() => ({ kind: 'unknown', code: 'x', message: '', retry: 'soon' }))
    channel.answer('submitRefund', { kind: 'refused', code: 'ERROR', message: '' })
    await attempt(refund)
    channel.answer('queryRefund', { kind: 'not_exist' })
    expect(await resolve(refund, 'fail')).toBe('not_proved')
    clock.advance(24 * HOUR_MS)
    expect(await resolve(refund, 'fail')).toBe('applied')
  })

  test('a worker that died between call and answer: counts as a missed answer', async () => {
    const refund = await approved()
    await attempt(refund).catch(() => undefined)
    channel.answer('submitRefund', { kind: 'refused', code: 'ERROR', message: '' })
    await attempt(refund)
    channel.answer('queryRefund', { kind: 'not_exist' })
    expect(await resolve(refund, 'fail')).toBe('not_proved')
  })
})

describe('a new number', () => {
  test('is free once the channel says again that the old one is closed', async () => {
    const refund = await abnormal()
    channel.answer('queryRefund', refundFact(refund, 'closed'))
    expect(await resolve(refund, 'renew')).toBe('state_conflict')
    await resolve(refund, 'fail')
    expect(await resolve(refund, 'renew')).toBe('applied')
    expect(await read(refund)).toMatchObject({ state: 'failed' })
  })
})

describe('what is said', () => {
  test('while the account has no credentials: is answered, and holds up nothing', async () => {
    const refund = await abnormal()
    const { worker: database, envelope } = workshop.seed
    const { resolveRefund } = createActivities({
      database,
      envelope,
      clock,
      notifyBaseUrl: 'https://pay.example.com',
      openAccount: (accountId) => Promise.reject(noCredentials(accountId)),
    })
    const id = await say(refund, 'fail')
    expect(await runActivity(resolveRefund, [refund.id, id])).toMatchObject({
      state: 'needs_attention',
    })
    expect(await outcomeOf(id)).toBe('channel_silent')
  })

  test('of another refund, under no id, or twice: changes nothing', async () => {
    const [refund, other] = [await abnormal(), await abnormal()]
    const id = await say(other, 'retry')
    const run = (resolutionId: string) =>
      runActivity(workshop.activities.resolveRefund, [refund.id, resolutionId])
    for (const resolutionId of [id, 'not an id', newId(clock.now())]) {
      expect(await run(resolutionId)).toMatchObject({ state: 'needs_attention' })
    }
    expect(await outcomeOf(id)).toBe('-')
    const own = await say(refund, 'retry')
    expect(await run(own)).toMatchObject({ state: 'refunding' })
    expect(await run(own)).toMatchObject({ state: 'refunding' })
    expect((await traces(refund)).events.filter((type) => type === 'refund.retried')).toHaveLength(
      1,
    )
  })
})

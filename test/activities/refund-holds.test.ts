import { beforeEach, describe, expect, test } from 'vitest'

import { noCredentials } from '../../src/activities/failures.js'
import { createActivities } from '../../src/activities/index.js'
import { holdsOfAccount } from '../../src/db/channel-holds.js'
import type { RefundRow } from '../../src/db/refunds.js'
import type { SubmitOutcome } from '../../src/domain/channel.js'
import { fen } from '../../src/domain/money.js'
import { createDueRefunds } from '../../src/engine/due-refunds.js'
import { failureOf, runActivity, type Failure } from '../support/run-activity.js'
import { useWorkshop } from '../support/workshop.js'

const workshop = useWorkshop()
const { clock, channel } = workshop
const MINUTE_MS = 60_000
const PROBE_MS = 5 * MINUTE_MS

beforeEach(async () => {
  channel.calls.length = 0
  channel.answer('submitRefund').answer('queryRefund')
  clock.advance(60 * MINUTE_MS)
  await workshop.seed.look('delete from channel_holds')
  await workshop.seed.look('update merchants set refunds_stopped_at = null')
  // What an earlier test left behind is nobody's turn here.
  await workshop.seed.look(
    "update refunds set state = 'cancelled', hold_reason = null where state = 'approved'",
  )
})

const attempt = (refund: RefundRow) => runActivity(workshop.activities.refundAtChannel, [refund.id])
const failing = (refund: RefundRow): Promise<Failure> => failureOf(attempt(refund))
/** Asks as the workflow does that knows of what must be set right. */
const heldAttempt = (refund: RefundRow) =>
  runActivity(workshop.activities.refundAtChannel, [refund.id, true])
const stillHeld = (refund: RefundRow): Promise<Failure> => failureOf(heldAttempt(refund))
const read = (refund: RefundRow) => workshop.seed.readRefund(refund.id)
const holds = () => holdsOfAccount(workshop.seed.worker, workshop.seed.account.id)

async function approved(amountFen = 1_000): Promise<RefundRow> {
  return workshop.seed.approvedRefund(await workshop.seed.paidPayment(), amountFen)
}

const accepts = (refund: RefundRow): SubmitOutcome => ({
  kind: 'accepted',
  refundId: `50000${refund.outRefundNo.slice(1)}`,
  refundFen: fen(refund.amountFen),
  settlementFen: fen(refund.amountFen),
})

const SIGNERROR = {
  kind: 'refused',
  code: 'SIGNERROR',
  message: '签名错误',
  hold: 'credentials',
} as const
const NOT_ENOUGH = { kind: 'not_enough', code: 'NOTENOUGH', message: '余额不足' } as const

let woken: string[]
const tick = () =>
  createDueRefunds({
    database: workshop.seed.worker,
    clock,
    openAccount: async () => ({ account: workshop.seed.account, channel }),
    onError: (error) => {
      throw error
    },
    engine: {
      refundFact: async () => undefined,
      refundKick: async ({ outRefundNo }) => {
        woken.push(outRefundNo)
      },
    },
  })()

beforeEach(() => {
  woken = []
})

describe('an account that must be set right', () => {
  test.each([
    ['a wrong signature', SIGNERROR],
    ['a missing right', { ...SIGNERROR, code: 'NOAUTH', hold: 'permission' }],
  ] as const)('%s: the refund waits as the probe, and others are not sent', async (_n, outcome) => {
    const [probe, other] = [await approved(), await approved()]
    channel.answer('submitRefund', outcome)
    expect(await stillHeld(probe)).toEqual({ type: outcome.code, retryMs: PROBE_MS, benign: true })
    expect(await read(probe)).toMatchObject({
      state: 'refunding',
      cause: 'credentials',
      lastCode: outcome.code,
      maybeTaken: false,
    })
    expect(await stillHeld(other)).toMatchObject({ type: 'CREDENTIALS', retryMs: PROBE_MS })
    expect(await read(other)).toMatchObject({
      state: 'approved',
      submitCount: 0,
      holdReason: 'credentials',
      holdUntil: new Date(clock.now().getTime() + PROBE_MS),
    })
    expect(await holds()).toMatchObject([{ reason: 'credentials', code: outcome.code }])
    expect(channel.calls).toHaveLength(1)
  })

  test('one interval later: exactly one of many is sent', async () => {
    const refunds = [await approved(), await approved(), await approved(), await approved()]
    const [first, ...others] = refunds
    channel.answer('submitRefund', SIGNERROR)
    if (first !== undefined) await stillHeld(first)
    for (const other of others) await stillHeld(other)
    clock.advance(PROBE_MS)
    await Promise.all(refunds.map(stillHeld))
    expect(channel.calls).toHaveLength(2)
  })

  test('a success: ends the hold, and the loop wakes the others in order, once', async () => {
    const [probe, second] = [await approved(), await approved()]
    clock.advance(1)
    const third = await approved()
    channel.answer('submitRefund', SIGNERROR, accepts(probe), accepts(second), accepts(third))
    await stillHeld(probe)
    await stillHeld(third)
    await stillHeld(second)
    await tick()
    expect(woken).toEqual([])
    clock.advance(PROBE_MS)
    expect(await heldAttempt(probe)).toBe('released')
    expect(await holds()).toEqual([])
    expect(await tick()).toBe(2)
    expect(woken).toEqual([second.outRefundNo, third.outRefundNo])
    expect(await tick()).toBe(0)
    expect(await heldAttempt(second)).toBe('released')
    expect(await read(second)).toMatchObject({ state: 'refunding', holdReason: null })
    clock.advance(2 * MINUTE_MS)
    // The third has not moved since it was woken, so it is woken again.
    expect(await tick()).toBe(1)
    expect(await heldAttempt(third)).toBe('released')
  })

  test('an unknown answer that smells of it: stays unknown, and holds the others', async () => {
    const [probe, other] = [await approved(), await approved()]
    channel.answer('submitRefund', {
      kind: 'unknown',
      code: 'bad_signature',
      message: '',
      retry: 'later',
      hold: 'credentials',
    })
    expect(await stillHeld(probe)).toMatchObject({ type: 'bad_signature', benign: false })
    expect(await read(probe)).toMatchObject({ cause: 'unknown', maybeTaken: true })
    expect(await stillHeld(other)).toMatchObject({ type: 'CREDENTIALS' })
  })

  test('a refusal of one refund: holds nobody, and ends a hold for credentials', async () => {
    const [probe, other] = [await approved(), await approved()]
    channel.answer('submitRefund', SIGNERROR)
    await stillHeld(probe)
    clock.advance(PROBE_MS)
    channel.answer('submitRefund', { kind: 'refused', code: 'TRADE_OVERDUE', message: '' })
    await attempt(other)
    expect(await read(other)).toMatchObject({ state: 'needs_attention', cause: 'refused' })
    expect(await holds()).toEqual([])
  })

  test.each([
    ['refused', SIGNERROR],
    ['unknown', { ...SIGNERROR, kind: 'unknown', retry: 'later' }],
  ] as const)(
    'what it shows, by an answer that is %s: once held, once released',
    async (_n, said) => {
      const [probe, other] = [await approved(), await approved()]
      channel.answer('submitRefund', said, accepts(probe))
      expect(await attempt(probe)).toBe('held')
      expect(await attempt(other)).toBe('held')
      expect(await stillHeld(other)).toMatchObject({ type: 'CREDENTIALS' })
      clock.advance(PROBE_MS)
      expect(await heldAttempt(probe)).toBe('released')
      channel.answer('queryRefund', { kind: 'not_exist' })
      expect(await failing(probe)).toMatchObject({ type: 'PROCESSING' })
    },
  )

  test('no credentials at all: is shown, and nothing is claimed', async () => {
    const refund = await approved()
    const { seed } = workshop
    const activities = createActivities({
      database: seed.worker,
      envelope: seed.envelope,
      clock,
      notifyBaseUrl: 'https://pay.example.com',
      openAccount: () => Promise.reject(noCredentials(refund.accountId)),
    })
    const { refundAtChannel } = activities
    expect(await runActivity(refundAtChannel, [refund.id])).toBe('held')
    expect(await failureOf(runActivity(refundAtChannel, [refund.id, true]))).toEqual({
      type: 'NO_CREDENTIALS',
      retryMs: MINUTE_MS,
      benign: false,
    })
    expect(await read(refund)).toMatchObject({ state: 'approved', submitCount: 0 })
  })
})

describe('a merchant balance that is too low', () => {
  test('others wait in approved, and go once a probe got through', async () => {
    const [probe, other] = [await approved(), await approved()]
    channel.answer('submitRefund', NOT_ENOUGH, accepts(probe), accepts(other))
    expect(await failing(probe)).toMatchObject({ type: 'NOTENOUGH', retryMs: 10 * MINUTE_MS })
    expect(await failing(other)).toMatchObject({ type: 'BALANCE' })
    expect(await read(other)).toMatchObject({ state: 'approved', holdReason: 'balance' })
    clock.advance(10 * MINUTE_MS)
    expect(await failing(probe)).toMatchObject({ type: 'PROCESSING' })
    expect(await tick()).toBe(1)
    expect(await failing(other)).toMatchObject({ type: 'PROCESSING' })
  })
})

describe('the stop switch', () => {
  test('holds what was never sent, and nothing that was', async () => {
    const [sent, waiting] = [await approved(), await approved()]
    channel.answer('submitRefund', NOT_ENOUGH, accepts(sent), accepts(waiting))
    await failing(sent)
    await workshop.seed.look('update merchants set refunds_stopped_at = now()')
    expect(await failing(waiting)).toMatchObject({ type: 'STOPPED', benign: true })
    expect(await read(waiting)).toMatchObject({ state: 'approved', holdReason: 'stopped' })
    expect(await tick()).toBe(0)
    clock.advance(10 * MINUTE_MS)
    expect(await failing(sent)).toMatchObject({ type: 'PROCESSING' })
    await workshop.seed.look('update merchants set refunds_stopped_at = null')
    expect(await tick()).toBe(1)
    expect(woken).toEqual([waiting.outRefundNo])
    expect(await failing(waiting)).toMatchObject({ type: 'PROCESSING' })
  })
})

describe('the rates of an account', () => {
  test('six refusals in a second: the next waits for a second', async () => {
    const refunds: RefundRow[] = []
    for (let n = 0; n < 8; n += 1) refunds.push(await approved())
    channel.answer('submitRefund', { kind: 'refused', code: 'TRADE_OVERDUE', message: '' })
    for (const refund of refunds.slice(0, 6)) await attempt(refund)
    const seventh = refunds[6]
    if (seventh === undefined) throw new Error('There are eight.')
    expect(await failing(seventh)).toEqual({ type: 'RATE', retryMs: 1_000, benign: true })
    expect(await read(seventh)).toMatchObject({ state: 'approved', holdReason: null })
    clock.advance(1_000)
    await attempt(seventh)
    expect(channel.calls).toHaveLength(7)
  })

  test('a hundred and fifty sends in a second: the next waits, whoever asks', async () => {
    const [one, other] = [await approved(), await approved()]
    await workshop.seed.look(
      'update refund_buckets set sends = 1, failures = 6, filled_at = $1',
      clock.now(),
    )
    channel.answer('submitRefund', accepts(one), accepts(other))
    const types = await Promise.all(
      [one, other].map(async (refund) => (await failing(refund)).type),
    )
    expect(types.toSorted()).toEqual(['PROCESSING', 'RATE'])
  })
})

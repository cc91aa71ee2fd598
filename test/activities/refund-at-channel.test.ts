import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'

import { casesOfPayment } from '../../src/db/cases.js'
import type { RefundRow } from '../../src/db/refunds.js'
import type { RefundOutcome, SubmitOutcome } from '../../src/domain/channel.js'
import { fen } from '../../src/domain/money.js'
import { refundTraces } from '../support/refund-traces.js'
import { failureOf, runActivity, type Failure } from '../support/run-activity.js'
import { refundFact } from '../support/seed.js'
import { useWorkshop } from '../support/workshop.js'

const workshop = useWorkshop()
const { clock, channel } = workshop
const MINUTE_MS = 60_000

beforeEach(() => {
  channel.calls.length = 0
  channel.answer('submitRefund').answer('queryRefund')
  // What one test sent must not make the next one wait.
  clock.advance(10 * MINUTE_MS)
})

const attempt = (refund: RefundRow) => runActivity(workshop.activities.refundAtChannel, [refund.id])
const failing = (refund: RefundRow): Promise<Failure> => failureOf(attempt(refund))
const settle = (refund: RefundRow) => workshop.activities.settleRefund(refund.id)
const read = (refund: RefundRow) => workshop.seed.readRefund(refund.id)
const traces = (refund: RefundRow) => refundTraces(workshop.seed, refund.id)

async function approved(amountFen = 1_000): Promise<RefundRow> {
  return workshop.seed.approvedRefund(await workshop.seed.paidPayment(), amountFen)
}

const accepts = (refund: RefundRow, settlementFen = refund.amountFen): SubmitOutcome => ({
  kind: 'accepted',
  refundId: `50000${refund.outRefundNo.slice(1)}`,
  refundFen: fen(refund.amountFen),
  settlementFen: fen(settlementFen),
})

async function accepted(amountFen = 1_000): Promise<RefundRow> {
  const refund = await approved(amountFen)
  channel.answer('submitRefund', accepts(refund))
  await failing(refund)
  channel.calls.length = 0
  return read(refund)
}

const NO_ANSWER = { kind: 'unknown', code: 'timeout', message: '', retry: 'soon' } as const
const PROCESSING = { type: 'PROCESSING', retryMs: MINUTE_MS, benign: true }

describe('refundAtChannel: submitting', () => {
  test('an accepted refund: is in transit, and the channel is asked in a minute', async () => {
    const refund = await approved()
    channel.answer('submitRefund', accepts(refund, 900))
    expect(await failing(refund)).toEqual(PROCESSING)
    expect(channel.calls).toMatchObject([
      {
        call: 'submitRefund',
        urgency: 'background',
        request: {
          outRefundNo: refund.outRefundNo,
          totalFen: 10_000,
          refundFen: 1_000,
          reason: 'The parcel was lost.',
          notifyUrl: `https://pay.example.com/notify/${workshop.seed.account.notifyToken}/refund`,
        },
      },
    ])
    expect(await read(refund)).toMatchObject({
      state: 'refunding',
      cause: 'accepted',
      inTransit: true,
      transitRound: 1,
      settlementFen: 900,
      submitCount: 1,
      firstSubmittedAt: clock.now(),
      acceptedAt: clock.now(),
    })
    expect(await traces(refund)).toMatchObject({
      journal: ['J1.1 900'],
      events: ['refund.requested', 'refund.accepted'],
    })
  })

  test('refunding: is written before the first byte leaves', async () => {
    const refund = await approved()
    const usual = channel.submitRefund
    let seen: RefundRow | undefined
    onTestFinished(() => {
      channel.submitRefund = usual
    })
    channel.submitRefund = async (request, options) => {
      seen = await read(refund)
      return usual(request, options)
    }
    channel.answer('submitRefund', accepts(refund))
    await failing(refund)
    expect(seen).toMatchObject({ state: 'refunding', cause: 'submitting', submitCount: 1 })
  })

  test.each<[string, SubmitOutcome, RefundRow['cause'], Failure]>([
    ['no answer', NO_ANSWER, 'unknown', { type: 'timeout', retryMs: 2_000, benign: false }],
    [
      'no balance',
      { kind: 'not_enough', code: 'NOTENOUGH', message: 'empty' },
      'insufficient_balance',
      { type: 'NOTENOUGH', retryMs: 10 * MINUTE_MS, benign: true },
    ],
    [
      'too many requests',
      { kind: 'rate_limited', code: 'FREQUENCY_LIMITED', message: 'slow' },
      'rate_limited',
      { type: 'FREQUENCY_LIMITED', retryMs: MINUTE_MS, benign: true },
    ],
  ])('%s: the same request goes again', async (_name, outcome, cause, failure) => {
    const refund = await approved()
    channel.answer('submitRefund', outcome, accepts(refund))
    expect(await failing(refund)).toEqual(failure)
    expect(await read(refund)).toMatchObject({ state: 'refunding', cause, submitCount: 1 })
    expect((await traces(refund)).journal).toEqual([])
    clock.advance(failure.retryMs)
    expect(await failing(refund)).toEqual(PROCESSING)
    const [first, second] = channel.calls
    expect(second).toEqual(first)
    expect(await read(refund)).toMatchObject({ cause: 'accepted', submitCount: 2 })
    expect((await traces(refund)).journal).toEqual(['J1.1 1000'])
  })

  test('a worker killed between call and answer: the same number goes again', async () => {
    const refund = await approved()
    channel.answer('submitRefund')
    await expect(attempt(refund)).rejects.toThrow('No answer was prepared')
    expect(await read(refund)).toMatchObject({ state: 'refunding', cause: 'submitting' })
    channel.answer('submitRefund', accepts(refund))
    expect(await failing(refund)).toEqual(PROCESSING)
    const numbers = channel.calls.map(
      ({ request }) => 'outRefundNo' in request && request.outRefundNo,
    )
    expect(numbers).toEqual([refund.outRefundNo, refund.outRefundNo])
  })

  test.each<[string, (refund: RefundRow) => SubmitOutcome, string, string]>([
    [
      'a definite refusal',
      () => ({ kind: 'refused', code: 'TRADE_OVERDUE', message: 'too old' }),
      'refused',
      'TRADE_OVERDUE',
    ],
    [
      'another amount accepted',
      (refund) => ({ ...accepts(refund), refundFen: fen(1) }) as SubmitOutcome,
      'amount_differs',
      'REFUND_FEE_DIFFERS',
    ],
  ])('%s: needs a person, and the amount stays reserved', async (_name, outcome, cause, code) => {
    const refund = await approved()
    channel.answer('submitRefund', outcome(refund))
    await attempt(refund)
    expect(await read(refund)).toMatchObject({
      state: 'needs_attention',
      cause,
      lastCode: code,
    })
    const payment = await workshop.seed.readPayment(refund.paymentId)
    expect(payment).toMatchObject({ reservedFen: 1_000, refundedFen: 0 })
    const cases = await casesOfPayment(workshop.seed.api, refund.paymentId)
    expect(cases.map(({ kind }) => kind)).toEqual(
      cause === 'amount_differs' ? ['refund_differs'] : [],
    )
    expect(await traces(refund)).toMatchObject({
      journal: [],
      events: ['refund.requested', 'refund.needs_attention'],
      audit: ['api_key refund.request', 'channel refund.needs_attention'],
    })
  })

  test.each(['pending', 'rejected', 'cancelled', 'expired'] as const)(
    'a %s refund: nothing is sent',
    async (state) => {
      const refund = await workshop.seed.refund(await workshop.seed.paidPayment())
      if (state !== 'pending') await workshop.seed.change(refund, { state })
      await attempt(refund)
      expect(channel.names()).toEqual([])
      expect(await read(refund)).toMatchObject({ state, submitCount: 0 })
    },
  )
})

describe('refundAtChannel: spacing', () => {
  test('three refunds of one payment: go 61 seconds apart', async () => {
    const payment = await workshop.seed.paidPayment()
    const [a, b, c] = [
      await workshop.seed.approvedRefund(payment),
      await workshop.seed.approvedRefund(payment),
      await workshop.seed.approvedRefund(payment),
    ]
    channel.answer('submitRefund', accepts(a), accepts(b), accepts(c))
    expect(await failing(a)).toEqual(PROCESSING)
    expect(await failing(b)).toEqual({ type: 'SPACING', retryMs: 61_000, benign: true })
    expect(await failing(c)).toEqual({ type: 'SPACING', retryMs: 122_000, benign: true })
    expect(await read(b)).toMatchObject({
      state: 'approved',
      holdReason: 'spacing',
      submitCount: 0,
    })
    clock.advance(60_999)
    expect(await failing(b)).toMatchObject({ type: 'SPACING', retryMs: 1 })
    clock.advance(1)
    expect(await failing(b)).toEqual(PROCESSING)
    expect(await read(b)).toMatchObject({ state: 'refunding', holdReason: null, holdUntil: null })
    clock.advance(61_000)
    expect(await failing(c)).toEqual(PROCESSING)
    expect(channel.names()).toEqual(['submitRefund', 'submitRefund', 'submitRefund'])
  })

  test('a slot used late: the next one waits its minute from then', async () => {
    const payment = await workshop.seed.paidPayment()
    const [a, b, c] = [
      await workshop.seed.approvedRefund(payment),
      await workshop.seed.approvedRefund(payment),
      await workshop.seed.approvedRefund(payment),
    ]
    channel.answer('submitRefund', accepts(a), accepts(b), accepts(c))
    await failing(a)
    await failing(b)
    await failing(c)
    // The worker was away: the turn of the second comes just before that of the third.
    clock.advance(121_000)
    expect(await failing(b)).toEqual(PROCESSING)
    clock.advance(1_000)
    expect(await failing(c)).toMatchObject({ type: 'SPACING', retryMs: 60_000 })
    clock.advance(60_000)
    expect(await failing(c)).toEqual(PROCESSING)
  })

  test('an answer that came late: the minute is counted from the answer', async () => {
    const payment = await workshop.seed.paidPayment()
    const a = await workshop.seed.approvedRefund(payment)
    const b = await workshop.seed.approvedRefund(payment)
    const usual = channel.submitRefund
    onTestFinished(() => {
      channel.submitRefund = usual
    })
    channel.submitRefund = (request, options) => {
      clock.advance(40_000)
      return usual(request, options)
    }
    channel.answer('submitRefund', accepts(a), accepts(b))
    await failing(a)
    channel.submitRefund = usual
    expect(await failing(b)).toMatchObject({ type: 'SPACING', retryMs: 61_000 })
  })

  test('refunds of two payments: do not wait for each other', async () => {
    const [a, b] = [await approved(), await approved()]
    channel.answer('submitRefund', accepts(a), accepts(b))
    expect(await failing(a)).toEqual(PROCESSING)
    expect(await failing(b)).toEqual(PROCESSING)
  })

  test('ten at once: no two get the same turn', async () => {
    const payment = await workshop.seed.paidPayment()
    const refunds: RefundRow[] = []
    for (let n = 0; n < 10; n += 1) refunds.push(await workshop.seed.approvedRefund(payment))
    const [first] = refunds
    if (first !== undefined) channel.answer('submitRefund', accepts(first))
    const failures = await Promise.all(refunds.map(failing))
    const waits = failures
      .map(({ type, retryMs }) => (type === 'SPACING' ? retryMs : 0))
      .toSorted((one, other) => one - other)
    expect(waits).toEqual(Array.from({ length: 10 }, (_, n) => n * 61_000))
  })
})

describe('refundAtChannel: asking', () => {
  test.each<[string, number, number]>([
    ['first', 0, 1],
    ['fourth', 3, 1],
    ['fifth', 4, 5],
    ['sixth', 5, 10],
    ['seventh', 6, 20],
    ['eighth', 7, 30],
    ['hundredth', 99, 30],
  ])('still processing for the %s time: waits by the plan', async (_nth, queryCount, minutes) => {
    const refund = await workshop.seed.change(await accepted(), { queryCount })
    channel.answer('queryRefund', refundFact(refund, 'processing'))
    expect(await failing(refund)).toEqual({ ...PROCESSING, retryMs: minutes * MINUTE_MS })
    expect(await read(refund)).toMatchObject({ queryCount: queryCount + 1, state: 'refunding' })
    expect((await traces(refund)).facts).toEqual([])
  })

  test.each<[string, RefundOutcome, string]>([
    ['no answer', NO_ANSWER, 'timeout'],
    ['a refused query', { kind: 'refused', code: 'SIGNERROR', message: '' }, 'SIGNERROR'],
    ['a refund the channel does not know', { kind: 'not_exist' }, 'REFUNDNOTEXIST'],
  ])('%s: decides nothing and is asked again', async (_name, outcome, code) => {
    const refund = await accepted()
    channel.answer('queryRefund', outcome)
    expect(await failing(refund)).toMatchObject({ type: 'PROCESSING', benign: true })
    expect(await read(refund)).toMatchObject({
      state: 'refunding',
      cause: 'accepted',
      lastCode: code,
      queryCount: 1,
    })
  })

  test.each([
    ['success', 'done', ['J1.1 1000', 'J2.1 1000']],
    ['closed', 'failed', ['J1.1 1000', 'J3.1 1000']],
    ['abnormal', 'needs_attention', ['J1.1 1000', 'J4.1 1000']],
  ] as const)(
    '%s: is stored as a fact, and settling makes it %s',
    async (status, state, journal) => {
      const refund = await accepted()
      channel.answer('queryRefund', refundFact(refund, status))
      await attempt(refund)
      expect(channel.names()).toEqual(['queryRefund'])
      expect((await traces(refund)).facts).toEqual([`query ${status} -`])
      expect(await settle(refund)).toMatchObject({ state })
      expect((await traces(refund)).journal).toEqual(journal)
    },
  )

  test('a refund that needs a person: is asked for on, and a success ends it', async () => {
    const refund = await accepted()
    channel.answer('queryRefund', refundFact(refund, 'abnormal'))
    await attempt(refund)
    await settle(refund)
    expect(await failing(refund)).toMatchObject({ type: 'PROCESSING' })
    channel.answer('queryRefund', refundFact(refund, 'success'))
    await attempt(refund)
    expect(await settle(refund)).toMatchObject({ state: 'done' })
    const { journal } = await traces(refund)
    expect(journal).toEqual(['J1.1 1000', 'J4.1 1000', 'J1.2 1000', 'J2.1 1000'])
  })

  test('a refund that ended: is not asked for', async () => {
    const refund = await accepted()
    channel.answer('queryRefund', refundFact(refund, 'success'))
    await attempt(refund)
    await settle(refund)
    channel.calls.length = 0
    await attempt(refund)
    expect(channel.names()).toEqual([])
  })
})

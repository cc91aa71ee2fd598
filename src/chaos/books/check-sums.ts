import { REFUND_STATES, type Bucket, type RefundState } from '../../domain/states.js'
import type { PaymentEntry, RefundEntry } from './books.js'
import type { Offence, Offender } from './offences.js'
import { sumOf, yuan, type Shelf } from './shelf.js'

/**
 * Which counter of its payment a refund stands in. Written down here once more on purpose: a
 * comparison that read the table of the engine would agree with its mistakes.
 */
const BUCKETS: Readonly<Record<RefundState, Bucket>> = {
  pending: 'reserved',
  approved: 'reserved',
  refunding: 'reserved',
  needs_attention: 'reserved',
  done: 'refunded',
  settled: 'settled',
  failed: 'none',
  rejected: 'none',
  cancelled: 'none',
  expired: 'none',
}

const COUNTED = ['reserved', 'refunded', 'settled'] as const

/** The sums of refunds: never more than was paid, here and at the channel, and counted right. */
export function checkSums(shelf: Shelf): Offender[] {
  return shelf.books.tables.payments.flatMap((payment) => [
    ...checkWithinPaid(shelf, payment),
    ...checkAtChannel(shelf, payment),
    ...checkCounters(shelf, payment),
  ])
}

const offender = (kind: Offence, subject: string, sentence: string): Offender => ({
  kind,
  subject,
  sentence: `payment ${subject}: ${sentence}`,
})

const sumIn = (refunds: readonly RefundEntry[], bucket: Bucket): number =>
  sumOf(
    refunds.filter(({ state }) => BUCKETS[state] === bucket),
    ({ amountFen }) => amountFen,
  )

function checkWithinPaid(shelf: Shelf, payment: PaymentEntry): Offender[] {
  const refunds = shelf.refundsOf(payment)
  const { outTradeNo } = payment
  const paidFen = payment.paidFen ?? 0
  const givenFen = sumIn(refunds, 'refunded') + sumIn(refunds, 'settled')
  if (givenFen > paidFen) {
    const sentence = `${yuan(givenFen)} were given back of ${yuan(paidFen)} that were paid`
    return [offender('over_refunded', outTradeNo, sentence)]
  }
  const promisedFen = givenFen + sumIn(refunds, 'reserved')
  if (promisedFen <= paidFen + excused(shelf, payment)) return []
  const sentence = `refunds over ${yuan(promisedFen)} stand against ${yuan(paidFen)} paid`
  return [offender('over_reserved', outTradeNo, sentence)]
}

/** What a refund of the portal may take more than was left, fen by fen in a case. */
const excused = (shelf: Shelf, payment: PaymentEntry): number =>
  sumOf(
    shelf.books.tables.cases.filter(
      ({ kind, paymentId }) => kind === 'refunds_exceed_payment' && paymentId === payment.id,
    ),
    ({ amountFen }) => amountFen,
  )

function checkAtChannel(shelf: Shelf, { outTradeNo }: PaymentEntry): Offender[] {
  const order = shelf.orderOf(outTradeNo)
  const given = shelf
    .givenBackOf(outTradeNo)
    .filter(({ refundStatus }) => refundStatus === 'SUCCESS' || refundStatus === 'PROCESSING')
  const givenFen = sumOf(given, ({ refundFee }) => refundFee)
  if (givenFen <= (order?.totalFee ?? 0)) return []
  const sentence = `WeChat Pay gave ${yuan(givenFen)} back of ${yuan(order?.totalFee ?? 0)}`
  return [offender('over_refunded_at_channel', outTradeNo, sentence)]
}

function checkCounters(shelf: Shelf, payment: PaymentEntry): Offender[] {
  const refunds = shelf.refundsOf(payment).filter(({ state }) => REFUND_STATES.includes(state))
  const stands = {
    reserved: payment.reservedFen,
    refunded: payment.refundedFen,
    settled: payment.settledFen,
  }
  return COUNTED.flatMap((bucket) => {
    const isFen = sumIn(refunds, bucket)
    if (isFen === stands[bucket]) return []
    const sentence = `${yuan(isFen)} are ${bucket}, and its counter says ${yuan(stands[bucket])}`
    return [offender('counter_differs', payment.outTradeNo, sentence)]
  })
}

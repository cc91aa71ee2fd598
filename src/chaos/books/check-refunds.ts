import type { ChannelRefund, PaymentEntry, RefundEntry } from './books.js'
import type { Offence, Offender } from './offences.js'
import { yuan, type Shelf } from './shelf.js'

/** Refunds: what the channel gave back, what the rows say, and who approved it. */
export function checkRefunds(shelf: Shelf): Offender[] {
  const { tables, channel } = shelf.books
  return [
    ...checkTaken(shelf),
    ...tables.refunds.flatMap((refund) => checkRefund(shelf, refund)),
    ...channel.refunds.flatMap((given) => checkGivenBack(shelf, given)),
  ]
}

const offender = (kind: Offence, subject: string, sentence: string): Offender => ({
  kind,
  subject,
  sentence: `refund ${subject}: ${sentence}`,
})

function checkTaken({ expected, refundById }: Shelf): Offender[] {
  return expected.refunds.flatMap(({ id, outRefundNo, amountFen }) =>
    refundById.has(id)
      ? []
      : [
          offender(
            'refund_row_lost',
            outRefundNo,
            `the API took it over ${yuan(amountFen)}, and no row holds it`,
          ),
        ],
  )
}

function checkRefund(shelf: Shelf, refund: RefundEntry): Offender[] {
  const given = shelf.givenBack(refund.outRefundNo)
  return [
    ...checkEnd(shelf, refund, given),
    ...checkApproval(shelf, refund),
    ...(given === undefined ? [] : checkAmount(refund, given)),
  ]
}

function checkEnd(shelf: Shelf, refund: RefundEntry, given: ChannelRefund | undefined): Offender[] {
  const { outRefundNo, state, amountFen } = refund
  const hasMoney = given?.refundStatus === 'SUCCESS'
  if (state === 'done') return hasMoney ? [] : [doneWithoutChannel(refund, given)]
  if (hasMoney) {
    const gave = `WeChat Pay gave ${yuan(given.refundFee)} back`
    return state === 'settled'
      ? [offender('settled_and_refunded', outRefundNo, `${gave}, and so did the merchant`)]
      : [offender('refund_lost', outRefundNo, `${gave}, and the book says ${state}`)]
  }
  return isAtRest(shelf, refund, given)
    ? []
    : [
        offender(
          'refund_open',
          outRefundNo,
          `${yuan(amountFen)} are still ${state}, and nothing moves it`,
        ),
      ]
}

function doneWithoutChannel(refund: RefundEntry, given: ChannelRefund | undefined): Offender {
  const there = given === undefined ? 'knows no such refund' : `says ${given.refundStatus}`
  return offender(
    'done_without_channel',
    refund.outRefundNo,
    `the book says that ${yuan(refund.amountFen)} are back, and WeChat Pay ${there}`,
  )
}

/** At an end, or where only a person can go on: then the channel holds nothing that could. */
function isAtRest(shelf: Shelf, refund: RefundEntry, given: ChannelRefund | undefined): boolean {
  switch (refund.state) {
    case 'pending':
    case 'refunding':
      return false
    case 'approved':
      return refund.holdReason === 'over_reserved' && hasOpenCase(shelf, refund.paymentId)
    case 'needs_attention':
      return given?.refundStatus !== 'PROCESSING'
    default:
      return true
  }
}

const hasOpenCase = (shelf: Shelf, paymentId: string): boolean =>
  shelf.books.tables.cases.some((each) => each.isOpen && each.paymentId === paymentId)

const NEVER_SENT = new Set(['pending', 'approved', 'rejected', 'cancelled', 'expired'])

/**
 * What was sent was approved, by as many as had to; what the engine gives back by itself is surplus
 * money, and what somebody made in the portal needs nobody here.
 */
function checkApproval(shelf: Shelf, refund: RefundEntry): Offender[] {
  const wasSent = !NEVER_SENT.has(refund.state)
  const approvals = shelf.decisionsOf(refund).filter(({ verb }) => verb === 'approve')
  const counted = approvals.filter(
    ({ outcome }) => outcome === 'applied' || outcome === 'first_of_two',
  )
  const own = counted.filter(
    ({ principalKind, principalId, actingUser, isSelfApproval }) =>
      principalKind === 'api_key' &&
      !isSelfApproval &&
      (principalId === refund.requestedBy || nameOf(actingUser) === nameOf(refund.requestedFor)),
  )
  const found = own.map(({ actingUser }) =>
    offender(
      'approved_by_requester',
      refund.outRefundNo,
      `${actingUser} asked for ${yuan(refund.amountFen)} and approved it alone`,
    ),
  )
  if (wasSent && !isCovered(shelf, refund, counted.length)) found.push(unapproved(shelf, refund))
  return found
}

const nameOf = (actingUser: string): string => actingUser.trim().toLowerCase()

function isCovered(shelf: Shelf, refund: RefundEntry, approvals: number): boolean {
  if (refund.origin === 'external') return true
  if (refund.origin === 'api') return approvals >= Math.max(1, refund.approvalsNeeded)
  return shelf.paymentById.get(refund.paymentId)?.disposition === 'surplus'
}

/** Beside an approved one of the same amount it is that one, sent again. */
function unapproved(shelf: Shelf, refund: RefundEntry): Offender {
  const payment = shelf.paymentById.get(refund.paymentId)
  const twin = siblings(shelf, payment).find(
    (each) =>
      each.id !== refund.id &&
      each.amountFen === refund.amountFen &&
      shelf.decisionsOf(each).some(({ outcome }) => outcome === 'applied'),
  )
  return twin === undefined
    ? offender(
        'sent_without_approval',
        refund.outRefundNo,
        `${yuan(refund.amountFen)} were sent, and nobody approved it`,
      )
    : offender(
        'approved_twice',
        twin.outRefundNo,
        `one approval of ${yuan(twin.amountFen)} sent ${refund.outRefundNo}, too`,
      )
}

const siblings = (shelf: Shelf, payment: PaymentEntry | undefined): readonly RefundEntry[] =>
  payment === undefined ? [] : shelf.refundsOf(payment)

function checkAmount(refund: RefundEntry, given: ChannelRefund): Offender[] {
  const { outRefundNo, state, amountFen } = refund
  if (NEVER_SENT.has(state)) {
    const sentence = `the book says ${state}, and WeChat Pay has ${yuan(given.refundFee)} of it`
    return [offender('sent_without_approval', outRefundNo, sentence)]
  }
  // Where somebody has been told of it, the difference is known and waits for them.
  if (given.refundFee === amountFen || state === 'needs_attention') return []
  const sentence = `${yuan(amountFen)} were asked for, WeChat Pay has ${yuan(given.refundFee)}`
  return [offender('refund_amount_differs', outRefundNo, sentence)]
}

/** A refund at the channel that no row here has. */
function checkGivenBack(shelf: Shelf, given: ChannelRefund): Offender[] {
  const { outRefundNo, outTradeNo, refundFee, refundStatus } = given
  // What the channel has closed moved nothing, so nobody has to know of it.
  if (shelf.refundByNumber.has(outRefundNo) || refundStatus === 'REFUNDCLOSE') return []
  const isOfPortal = shelf.expected.portalRefunds.some((each) => each.outRefundNo === outRefundNo)
  if (isOfPortal) {
    // One that cannot be booked is told in a case.
    if (hasCaseBeyondPaid(shelf, outTradeNo)) return []
    const sentence = `${yuan(refundFee)} were given back in the portal, and no row holds it`
    return [offender('portal_refund_lost', outRefundNo, sentence)]
  }
  const payment = shelf.paymentByNumber.get(outTradeNo)
  const twin = siblings(shelf, payment).find((each) => each.amountFen === refundFee)
  const sentence = `WeChat Pay gave ${yuan(refundFee)} back under ${outRefundNo}, too`
  return [
    offender(
      'refunded_twice',
      twin?.outRefundNo ?? outTradeNo,
      `${sentence}, a number that is no refund's`,
    ),
  ]
}

function hasCaseBeyondPaid(shelf: Shelf, outTradeNo: string): boolean {
  const paymentId = shelf.paymentByNumber.get(outTradeNo)?.id
  return shelf.books.tables.cases.some(
    (each) => each.kind === 'refund_beyond_paid' && each.paymentId === paymentId,
  )
}

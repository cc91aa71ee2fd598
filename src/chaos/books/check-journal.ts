import type { PaymentEntry, RefundEntry, TransferEntry } from './books.js'
import type { Offence, Offender } from './offences.js'
import { grouped, isPaidAtChannel, sumOf, yuan, type Shelf } from './shelf.js'

/** By how much each account grows: debits less credits, in fen. What is zero is left out. */
type Effect = ReadonlyMap<string, number>

/**
 * The journal: for each payment and refund exactly what its end means, once. What that is, is said
 * here as balances of accounts, without the engine's rules.
 */
export function checkJournal(shelf: Shelf): Offender[] {
  const { payments, refunds } = shelf.books.tables
  return [
    ...payments.flatMap((payment) =>
      checkCause(
        shelf,
        payment.id,
        `payment ${payment.outTradeNo}`,
        effectOfPayment(shelf, payment),
      ),
    ),
    ...refunds.flatMap((refund) =>
      checkCause(shelf, refund.id, `refund ${refund.outRefundNo}`, effectOfRefund(shelf, refund)),
    ),
    ...checkCauses(shelf),
  ]
}

/** All balances together, which are nothing in a book that is one. */
export const bookSumFen = (journal: readonly TransferEntry[]): number =>
  sumOf([...effectOf(journal)], ([, balanceFen]) => balanceFen)

/**
 * What is at the channel by the journal and by the channel's own book. It hangs on every posting,
 * so it is a net below the checks of each, and worth saying only where those found nothing.
 */
export function checkBalance(shelf: Shelf): Offender[] {
  const { orders, refunds } = shelf.books.channel
  const inFen = sumOf(orders.filter(isPaidAtChannel), (order) => {
    const payment = shelf.paymentByNumber.get(order.outTradeNo)
    return order.totalFee - discount(payment?.paidFen, payment?.settlementFen)
  })
  const given = refunds.filter(({ refundStatus }) => MOVED.has(refundStatus))
  const outFen = sumOf(given, (refund) => {
    const row = shelf.refundByNumber.get(refund.outRefundNo)
    return refund.refundFee - discount(row?.amountFen, row?.settlementFen)
  })
  const there = inFen - outFen
  const here = sumOf(
    [...effectOf(shelf.books.journal)].filter(([account]) => account.startsWith('wechat:')),
    ([, balanceFen]) => balanceFen,
  )
  if (here === there) return []
  const sentence = `the journal has ${yuan(here)} at WeChat Pay, which has ${yuan(there)}`
  return [{ kind: 'balance_differs', subject: 'wechat', sentence }]
}

const MOVED = new Set(['SUCCESS', 'PROCESSING'])

/** The part that coupons of the merchant's own paid, which never came in and never goes out. */
const discount = (amountFen: number | null = 0, settlementFen?: number | null): number =>
  Math.max(0, (amountFen ?? 0) - (settlementFen ?? amountFen ?? 0))

function effectOfPayment({ books }: Shelf, payment: PaymentEntry): Effect {
  if (payment.state !== 'paid') return new Map()
  const { accountId, disposition } = payment
  const paidFen = payment.paidFen ?? 0
  const settlementFen = payment.settlementFen ?? 0
  return disposition === 'accepted'
    ? effect([
        [`wechat:${accountId}`, settlementFen],
        [`coupon_cost:${books.merchantId}`, paidFen - settlementFen],
        [`sales:${books.merchantId}`, -paidFen],
      ])
    : effect([
        [`wechat:${accountId}`, settlementFen],
        [`suspense:${accountId}`, -settlementFen],
      ])
}

function effectOfRefund({ books, paymentById }: Shelf, refund: RefundEntry): Effect {
  const { accountId, amountFen, state } = refund
  const { merchantId } = books
  const settlementFen = refund.settlementFen ?? amountFen
  const wasSale = paymentById.get(refund.paymentId)?.disposition === 'accepted'
  if (state === 'settled') {
    return effect([
      [wasSale ? `returns:${merchantId}` : `suspense:${accountId}`, amountFen],
      [`paid_otherwise:${merchantId}`, -amountFen],
    ])
  }
  if (state === 'done') {
    return wasSale
      ? effect([
          [`returns:${merchantId}`, amountFen],
          [`coupon_cost:${merchantId}`, settlementFen - amountFen],
          [`wechat:${accountId}`, -settlementFen],
        ])
      : effect([
          [`suspense:${accountId}`, settlementFen],
          [`wechat:${accountId}`, -settlementFen],
        ])
  }
  if (!refund.isInTransit) return new Map()
  return effect([
    [`refunds_in_transit:${accountId}`, settlementFen],
    [`wechat:${accountId}`, -settlementFen],
  ])
}

const effect = (balances: readonly (readonly [account: string, fen: number])[]): Effect =>
  new Map(balances.filter(([, balanceFen]) => balanceFen !== 0))

function effectOf(transfers: readonly TransferEntry[]): Effect {
  const balances = new Map<string, number>()
  const add = (account: string, amountFen: number): void => {
    balances.set(account, (balances.get(account) ?? 0) + amountFen)
  }
  for (const { debit, credit, amountFen } of transfers) {
    add(debit, amountFen)
    add(credit, -amountFen)
  }
  return effect([...balances])
}

function checkCause(shelf: Shelf, causeId: string, name: string, due: Effect): Offender[] {
  const transfers = shelf.transfersOf(causeId)
  const subject = name.replace(/^\S+ /, '')
  const say = (kind: Offence, sentence: string): Offender[] => [
    { kind, subject, sentence: `${name}: ${sentence}` },
  ]
  const repeated = [...grouped(transfers, ({ rule, n }) => `${rule}.${n}`)].find(
    ([, group]) => group.length > 1,
  )
  if (repeated !== undefined) {
    const [line, group] = repeated
    return say('posted_twice', `${line} stands ${group.length} times in the journal`)
  }
  const is = effectOf(transfers)
  const wrong = [...new Set([...due.keys(), ...is.keys()])].find(
    (account) => due.get(account) !== is.get(account),
  )
  if (wrong === undefined) return []
  if (is.size === 0) return say('posting_missing', `nothing of it stands in the journal`)
  const [account = wrong] = wrong.split(':')
  const [isFen, dueFen] = [is.get(wrong) ?? 0, due.get(wrong) ?? 0]
  return say(
    'posting_differs',
    `the journal moves ${account} by ${yuan(isFen)}, not ${yuan(dueFen)}`,
  )
}

/** A payment or a refund stands behind each posting; bills and cases are no part of a drill. */
function checkCauses({ books, paymentById, refundById }: Shelf): Offender[] {
  const unknown = books.journal.filter(
    ({ causeId }) => !paymentById.has(causeId) && !refundById.has(causeId),
  )
  return [...grouped(unknown, ({ causeId }) => causeId)].map(([causeId, lines]) => ({
    kind: 'posting_without_cause',
    subject: causeId,
    sentence: `journal: ${lines.length} lines are posted for ${causeId}, which nothing is`,
  }))
}

import type { ChannelOrder, PaymentEntry } from './books.js'
import type { Offence, Offender } from './offences.js'
import { grouped, isPaidAtChannel, yuan, type Shelf } from './shelf.js'

/** Payments: what the channel holds, what the rows say, and whether both are at an end. */
export function checkPayments(shelf: Shelf): Offender[] {
  const { payments } = shelf.books.tables
  return [
    ...checkTaken(shelf),
    ...payments.flatMap((payment) => checkPayment(shelf, payment)),
    ...checkOrders(shelf),
    ...checkOrderRefs(payments),
  ]
}

const offender = (kind: Offence, subject: string, sentence: string): Offender => ({
  kind,
  subject,
  sentence: `payment ${subject}: ${sentence}`,
})

function checkTaken({ expected, paymentById }: Shelf): Offender[] {
  return expected.payments.flatMap(({ id, outTradeNo, amountFen }) =>
    paymentById.has(id)
      ? []
      : [
          offender(
            'payment_row_lost',
            outTradeNo,
            `the API took it over ${yuan(amountFen)}, and no row holds it`,
          ),
        ],
  )
}

function checkPayment(shelf: Shelf, payment: PaymentEntry): Offender[] {
  switch (payment.state) {
    case 'paid':
      return checkPaid(shelf, payment)
    case 'closed':
    case 'failed':
      return checkUnpaid(shelf, payment)
    case 'created':
    case 'awaiting_payment':
      return checkOpen(shelf, payment)
  }
}

function checkPaid(shelf: Shelf, payment: PaymentEntry): Offender[] {
  const { outTradeNo, totalFen, transactionId } = payment
  const paidFen = payment.paidFen ?? 0
  const found: Offender[] = []
  const order = shelf.orderOf(outTradeNo)
  if (!isPaidAtChannel(order) || order.transactionId !== transactionId) {
    const there = tellOrder(order)
    const sentence = `${yuan(paidFen)} stand in the book as paid, and WeChat Pay ${there}`
    found.push(offender('paid_without_channel', outTradeNo, sentence))
  } else if (order.totalFee !== paidFen) {
    const sentence = `the book says ${yuan(paidFen)}, WeChat Pay took ${yuan(order.totalFee)}`
    found.push(offender('paid_amount_differs', outTradeNo, sentence))
  }
  if (payment.disposition === 'accepted' && paidFen !== totalFen) {
    const sentence = `${yuan(paidFen)} were accepted for an order over ${yuan(totalFen)}`
    found.push(offender('accepted_wrong_amount', outTradeNo, sentence))
  }
  return found
}

const tellOrder = (order: ChannelOrder | undefined): string =>
  order === undefined ? 'knows no such order' : `says ${order.tradeState}`

function checkUnpaid(shelf: Shelf, { outTradeNo, state }: PaymentEntry): Offender[] {
  const order = shelf.orderOf(outTradeNo)
  if (isPaidAtChannel(order)) return [lost(outTradeNo, order.totalFee, state)]
  if (state !== 'closed' || order === undefined || order.tradeState === 'CLOSED') return []
  const sentence = `the book says closed, and WeChat Pay would still let it be paid`
  return [offender('closed_but_payable', outTradeNo, sentence)]
}

/** Once everything is quiet an order is paid, closed or refused: nothing waits for ever. */
function checkOpen(shelf: Shelf, { outTradeNo, state }: PaymentEntry): Offender[] {
  const order = shelf.orderOf(outTradeNo)
  const open = offender('payment_open', outTradeNo, `it is still ${state}, and nothing moves it`)
  return isPaidAtChannel(order) ? [lost(outTradeNo, order.totalFee, state), open] : [open]
}

const lost = (outTradeNo: string, totalFee: number, state: string): Offender =>
  offender(
    'payment_lost',
    outTradeNo,
    `the buyer paid ${yuan(totalFee)} at WeChat Pay, and the book says ${state}`,
  )

function checkOrders({ books, paymentByNumber }: Shelf): Offender[] {
  return books.channel.orders
    .filter(({ outTradeNo }) => !paymentByNumber.has(outTradeNo))
    .map(({ outTradeNo, totalFee, tradeState }) =>
      offender(
        'ordered_twice',
        outTradeNo,
        `WeChat Pay holds an order over ${yuan(totalFee)} (${tradeState}) that is no payment's`,
      ),
    )
}

/** A caller's order may have several payments, of which one counts. */
function checkOrderRefs(payments: readonly PaymentEntry[]): Offender[] {
  const accepted = payments.filter(
    ({ orderRef, disposition }) => orderRef !== null && disposition === 'accepted',
  )
  return [...grouped(accepted, ({ orderRef }) => orderRef ?? '')].flatMap(([orderRef, group]) => {
    const [first, ...others] = group
    return others.map(({ outTradeNo }) =>
      offender(
        'order_accepted_twice',
        outTradeNo,
        `order ${orderRef} was paid by ${first?.outTradeNo ?? 'another'}, and by this one again`,
      ),
    )
  })
}

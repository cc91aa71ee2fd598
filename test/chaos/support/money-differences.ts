import { one, payment, refund, without, type Difference } from './difference.js'

/** What can be wrong with money: payments, refunds, their sums, and the journal. */
export const MONEY_DIFFERENCES: readonly Difference[] = [
  [
    'payment_row_lost',
    'P9',
    'an answered order has no row',
    ({ expected }) =>
      expected.payments.push({
        id: 'id-P9',
        outTradeNo: 'P9',
        amountFen: 500,
        isPaid: false,
        lastAnswer: undefined,
      }),
  ],
  [
    'refund_row_lost',
    'R9',
    'an answered refund has no row',
    ({ expected }) =>
      expected.refunds.push({
        id: 'id-R9',
        outRefundNo: 'R9',
        paymentId: 'id-P1',
        outTradeNo: 'P1',
        amountFen: 5,
        decision: undefined,
        lastAnswer: undefined,
      }),
  ],
  [
    'payment_lost',
    'P2',
    'a closed order is paid at the channel',
    ({ books }) => {
      one(books.channel.orders, 'P2').tradeState = 'SUCCESS'
    },
  ],
  [
    'payment_lost',
    'P1',
    'an open order is paid at the channel',
    (sound) => Object.assign(payment(sound, 'P1'), { state: 'awaiting_payment' }),
  ],
  [
    'refund_lost',
    'R1',
    'a failed refund has succeeded at the channel',
    (sound) => Object.assign(refund(sound, 'R1'), { state: 'failed' }),
  ],
  [
    'refund_lost',
    'R5',
    'a refund that a person waits for has succeeded at the channel',
    ({ books }) => {
      one(books.channel.refunds, 'R5').refundStatus = 'SUCCESS'
    },
  ],
  [
    'portal_refund_lost',
    'RP',
    'a refund of the portal has no row',
    ({ books }) => {
      books.tables.refunds = without(books.tables.refunds, 'RP')
    },
  ],
  [
    'done_without_channel',
    'R1',
    'a refund is done that the channel still carries',
    ({ books }) => {
      one(books.channel.refunds, 'R1').refundStatus = 'PROCESSING'
    },
  ],
  [
    'done_without_channel',
    'R1',
    'a refund is done that the channel does not know',
    ({ books }) => {
      books.channel.refunds = without(books.channel.refunds, 'R1')
    },
  ],
  [
    'posting_missing',
    'P1',
    'a paid payment is not in the journal',
    ({ books }) => {
      books.journal = without(books.journal, 'id-P1')
    },
  ],
  [
    'order_accepted_twice',
    'P5',
    'two payments of one order count',
    (sound) => Object.assign(payment(sound, 'P5'), { orderRef: 'order-1' }),
  ],
  [
    'ordered_twice',
    'P1-2',
    'the channel holds an order that is no payment',
    ({ books }) =>
      books.channel.orders.push({
        outTradeNo: 'P1-2',
        transactionId: null,
        totalFee: 1_000,
        tradeState: 'NOTPAY',
      }),
  ],
  [
    'refunded_twice',
    'R1',
    'the channel gave the same back under another number',
    ({ books }) =>
      books.channel.refunds.push({
        outTradeNo: 'P1',
        outRefundNo: 'R1-2',
        refundFee: 300,
        refundStatus: 'SUCCESS',
      }),
  ],
  [
    'settled_and_refunded',
    'R1',
    'the merchant gave back what the channel did, too',
    (sound) => Object.assign(refund(sound, 'R1'), { state: 'settled' }),
  ],
  [
    'posted_twice',
    'R1',
    'a posting stands twice in the journal',
    ({ books }) => {
      books.journal.push({ ...one(books.journal, 'id-R1'), entryId: 'again' })
    },
  ],
  [
    'over_reserved',
    'P1',
    'more is promised than was paid',
    (sound) => Object.assign(refund(sound, 'R2'), { state: 'pending', amountFen: 601 }),
  ],
  [
    'over_refunded',
    'P1',
    'more is done than was paid',
    (sound) => Object.assign(refund(sound, 'R1'), { amountFen: 901 }),
  ],
  [
    'over_refunded_at_channel',
    'P1',
    'the channel gave back more than was paid',
    ({ books }) => {
      one(books.channel.refunds, 'R1').refundFee = 901
    },
  ],
  [
    'payment_open',
    'P2',
    'an order waits for ever',
    (sound) => Object.assign(payment(sound, 'P2'), { state: 'awaiting_payment' }),
  ],
  [
    'refund_open',
    'R2',
    'a refund waits for ever',
    (sound) => Object.assign(refund(sound, 'R2'), { state: 'pending' }),
  ],
  [
    'refund_open',
    'R5',
    'a refund waits for a person while the channel carries it',
    ({ books }) => {
      one(books.channel.refunds, 'R5').refundStatus = 'PROCESSING'
    },
  ],
  [
    'refund_open',
    'R5',
    'an approved refund is held although nothing stands in its way',
    (sound) =>
      Object.assign(refund(sound, 'R5'), { state: 'approved', holdReason: 'over_reserved' }),
  ],
  [
    'paid_without_channel',
    'P1',
    'the channel was not paid',
    ({ books }) => {
      one(books.channel.orders, 'P1').tradeState = 'NOTPAY'
    },
  ],
  [
    'paid_without_channel',
    'P1',
    'the channel was paid by another transaction',
    ({ books }) => {
      one(books.channel.orders, 'P1').transactionId = '4200-other'
    },
  ],
  [
    'paid_amount_differs',
    'P1',
    'the channel was paid another amount',
    ({ books }) => {
      one(books.channel.orders, 'P1').totalFee = 999
    },
  ],
  [
    'accepted_wrong_amount',
    'P4',
    'another amount than was ordered is accepted',
    (sound) => Object.assign(payment(sound, 'P4'), { disposition: 'accepted' }),
  ],
  [
    'closed_but_payable',
    'P2',
    'the channel would still take money for a closed order',
    ({ books }) => {
      one(books.channel.orders, 'P2').tradeState = 'NOTPAY'
    },
  ],
  [
    'refund_amount_differs',
    'R1',
    'the channel gave another amount back',
    ({ books }) => {
      one(books.channel.refunds, 'R1').refundFee = 299
    },
  ],
  [
    'counter_differs',
    'P1',
    'a counter is not the sum of its refunds',
    (sound) => Object.assign(payment(sound, 'P1'), { reservedFen: 1 }),
  ],
  [
    'posting_differs',
    'P1',
    'another amount stands in the journal',
    ({ books }) => {
      one(books.journal, 'id-P1').amountFen = 990
    },
  ],
  [
    'posting_differs',
    'R5',
    'what came back still stands in transit',
    ({ books }) => {
      books.journal = without(books.journal, 'J4')
    },
  ],
  [
    'posting_without_cause',
    'id-P9',
    'a posting is for nothing',
    ({ books }) => {
      books.journal.push({ ...one(books.journal, 'id-P1'), entryId: 'e', causeId: 'id-P9' })
    },
  ],
]

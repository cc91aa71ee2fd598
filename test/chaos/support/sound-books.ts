import type {
  Books,
  EventEntry,
  PaymentEntry,
  RefundEntry,
  TransferEntry,
} from '../../../src/chaos/books/books.js'
import type { DrivenOrders } from '../../../src/chaos/driven.js'

/** The same with everything open to change, for tests that make one thing wrong. */
export type Draft<T> = T extends readonly (infer Item)[]
  ? Draft<Item>[]
  : { -readonly [Key in keyof T]: Draft<T[Key]> }

export interface SoundBooks {
  readonly books: Draft<Books>
  readonly expected: Draft<DrivenOrders>
}

const ACCOUNT = '0190a000-0000-7000-8000-000000000001'
const SHOP = 'shop'

const payment = (outTradeNo: string, more: Partial<PaymentEntry> = {}): PaymentEntry => ({
  id: `id-${outTradeNo}`,
  accountId: ACCOUNT,
  outTradeNo,
  orderRef: null,
  origin: 'engine',
  state: 'paid',
  disposition: 'accepted',
  totalFen: 1_000,
  paidFen: 1_000,
  settlementFen: 1_000,
  reservedFen: 0,
  refundedFen: 0,
  settledFen: 0,
  overReservedFen: 0,
  transactionId: `4200-${outTradeNo}`,
  ...more,
})

const UNPAID = {
  disposition: null,
  paidFen: null,
  settlementFen: null,
  transactionId: null,
} as const

const refund = (of: string, outRefundNo: string, more: Partial<RefundEntry>): RefundEntry => ({
  id: `id-${outRefundNo}`,
  paymentId: `id-${of}`,
  accountId: ACCOUNT,
  outRefundNo,
  origin: 'api',
  state: 'done',
  cause: null,
  holdReason: null,
  amountFen: 300,
  settlementFen: 300,
  isInTransit: false,
  requestedBy: 'key-1',
  requestedFor: 'li.na',
  approvalsNeeded: 1,
  ...more,
})

let entries = 0

function entry(cause: string, ...lines: readonly (readonly [string, string, string, number])[]) {
  entries += 1
  return lines.map(([rule, debit, credit, amountFen], index): TransferEntry => ({
    entryId: `entry-${entries}`,
    rule,
    n: index + 1,
    debit: nameOf(debit),
    credit: nameOf(credit),
    amountFen,
    causeKind: cause.startsWith('id-R') ? 'refund' : 'payment',
    causeId: cause,
  }))
}

const OF_ACCOUNT = ['wechat', 'suspense', 'refunds_in_transit']
const nameOf = (account: string): string =>
  `${account}:${OF_ACCOUNT.includes(account) ? ACCOUNT : SHOP}`

const fact = (subjectId: string, businessKey: string, source = 'notify') => ({
  id: `fact-${businessKey}`,
  kind: subjectId.startsWith('id-R') ? 'refund' : 'payment',
  businessKey,
  subjectId,
  source,
  timesSeen: 1,
  isApplied: true,
})

const decision = (refundId: string, verb: string, outcome: string) => ({
  id: `decision-${refundId}-${verb}`,
  refundId,
  verb,
  principalKind: 'api_key',
  principalId: 'key-2',
  actingUser: 'wang.wei',
  isSelfApproval: false,
  outcome,
})

const events = (of: string, ...types: readonly (readonly [string, string | null])[]) =>
  types.map(([type, refundId], index): EventEntry => ({
    paymentId: `id-${of}`,
    refundId: refundId === null ? null : `id-${refundId}`,
    sequence: index + 1,
    type,
  }))

const workflow = (workflowId: string, states: readonly string[]) => ({
  workflowId,
  status: 'COMPLETED',
  states: [...states],
  result: states.at(-1) ?? null,
})

const order = (outTradeNo: string, tradeState: string, totalFee = 1_000) => ({
  outTradeNo,
  transactionId: tradeState === 'CLOSED' ? null : `4200-${outTradeNo}`,
  totalFee,
  tradeState,
})

const given = (
  outTradeNo: string,
  outRefundNo: string,
  refundFee: number,
  refundStatus: string,
) => ({
  outTradeNo,
  outRefundNo,
  refundFee,
  refundStatus,
})

const notification = (outTradeNo: string, outRefundNo: string | null = null) => ({
  id: `told-${outRefundNo ?? outTradeNo}`,
  kind: outRefundNo === null ? 'payment' : 'refund',
  outTradeNo,
  outRefundNo,
  state: 'delivered',
})

/**
 * Four books that agree: P1 was paid, of which R1 went back, R2 was refused and RP was made in the
 * portal; P2 was closed; P3 was paid too late and goes back as RS; P4 came in another amount and
 * waits for a person; R5 of P5 came back from a frozen card.
 */
export function soundBooks(): SoundBooks {
  const { payments, refunds } = rows()
  const books: Books = {
    merchantId: SHOP,
    journal: journal(),
    tables: { payments, refunds, ...messages() },
    workflows: [
      workflow('payment:shop:P1', ['awaiting_payment', 'paid']),
      workflow('payment:shop:P2', ['awaiting_payment', 'closed']),
      workflow('payment:shop:P3', ['closed', 'paid']),
      workflow('payment:shop:P4', ['awaiting_payment', 'paid']),
      workflow('payment:shop:P5', ['awaiting_payment', 'paid']),
      workflow('refund:shop:R1', ['approved', 'refunding', 'done']),
      workflow('refund:shop:R2', ['rejected']),
      workflow('refund:shop:RS', ['approved', 'done']),
      {
        ...workflow('refund:shop:R5', ['approved', 'needs_attention']),
        status: 'RUNNING',
        result: null,
      },
    ],
    channel: {
      orders: [
        order('P1', 'REFUND'),
        order('P2', 'CLOSED'),
        order('P3', 'REFUND'),
        order('P4', 'SUCCESS', 1),
        order('P5', 'REFUND'),
      ],
      refunds: [
        given('P1', 'R1', 300, 'SUCCESS'),
        given('P1', 'RP', 100, 'SUCCESS'),
        given('P3', 'RS', 1_000, 'SUCCESS'),
        given('P5', 'R5', 300, 'CHANGE'),
      ],
      notifications: [
        ...['P1', 'P3', 'P4', 'P5'].map((number) => notification(number)),
        notification('P1', 'R1'),
        notification('P1', 'RP'),
        notification('P3', 'RS'),
        notification('P5', 'R5'),
      ],
    },
  }
  return structuredClone({ books, expected: expectedOf(payments, refunds) }) as SoundBooks
}

function rows(): { payments: PaymentEntry[]; refunds: RefundEntry[] } {
  return {
    payments: [
      payment('P1', { orderRef: 'order-1', refundedFen: 400 }),
      payment('P2', { ...UNPAID, orderRef: 'order-1', state: 'closed' }),
      payment('P3', { disposition: 'surplus', refundedFen: 1_000 }),
      payment('P4', { disposition: 'held', paidFen: 1, settlementFen: 1 }),
      payment('P5', { orderRef: 'order-5', reservedFen: 300 }),
    ],
    refunds: [
      refund('P1', 'R1', {}),
      refund('P1', 'R2', { state: 'rejected', amountFen: 200, settlementFen: null }),
      refund('P1', 'RP', {
        origin: 'external',
        amountFen: 100,
        settlementFen: 100,
        requestedBy: null,
        requestedFor: 'wechat-pay',
      }),
      refund('P3', 'RS', {
        origin: 'system',
        amountFen: 1_000,
        settlementFen: 1_000,
        requestedBy: null,
        requestedFor: 'yuanlu',
      }),
      refund('P5', 'R5', { state: 'needs_attention', cause: 'abnormal' }),
    ],
  }
}

const journal = (): TransferEntry[] => [
  ...entry('id-P1', ['P1', 'wechat', 'sales', 1_000]),
  ...entry('id-R1', ['J1', 'refunds_in_transit', 'wechat', 300]),
  ...entry('id-R1', ['J2', 'returns', 'refunds_in_transit', 300]),
  ...entry('id-RP', ['J6', 'returns', 'wechat', 100]),
  ...entry('id-P3', ['P2', 'wechat', 'suspense', 1_000]),
  ...entry('id-RS', ['J1', 'refunds_in_transit', 'wechat', 1_000]),
  ...entry('id-RS', ['J2', 'suspense', 'refunds_in_transit', 1_000]),
  ...entry('id-P4', ['P2', 'wechat', 'suspense', 1]),
  ...entry('id-P5', ['P1', 'wechat', 'sales', 1_000]),
  ...entry('id-R5', ['J1', 'refunds_in_transit', 'wechat', 300]),
  ...entry('id-R5', ['J4', 'wechat', 'refunds_in_transit', 300]),
]

const messages = () => ({
  inbox: [
    fact('id-P1', 'P1:paid'),
    fact('id-P2', 'P2:closed', 'query'),
    fact('id-P3', 'P3:paid'),
    fact('id-P4', 'P4:paid'),
    // The query was faster, and the notification was counted.
    { ...fact('id-P5', 'P5:paid', 'query'), timesSeen: 2 },
    fact('id-R1', 'R1:success:notify'),
    fact('id-R1', 'R1:success:query', 'query'),
    { ...fact('account', 'RP:success:notify'), kind: 'external' },
    fact('id-RS', 'RS:success:notify'),
    fact('id-R5', 'R5:abnormal:notify'),
  ],
  decisions: [
    decision('id-R1', 'approve', 'applied'),
    decision('id-R2', 'reject', 'applied'),
    decision('id-R5', 'approve', 'applied'),
  ],
  resolutions: [{ id: 'resolution-1', refundId: 'id-R5', verb: 'retry', outcome: 'applied' }],
  cases: [{ kind: 'payment_held', paymentId: 'id-P4', amountFen: 1, isOpen: true }],
  events: [
    ...events(
      'P1',
      ['payment.paid', null],
      ['refund.requested', 'R1'],
      ['refund.done', 'R1'],
      ['refund.rejected', 'R2'],
    ),
    ...events('P2', ['payment.closed', null]),
    ...events('P3', ['payment.closed', null], ['payment.surplus', null], ['refund.done', 'RS']),
    ...events('P4', ['payment.held', null]),
    ...events('P5', ['payment.paid', null]),
  ],
})

const expectedOf = (
  payments: readonly PaymentEntry[],
  refunds: readonly RefundEntry[],
): DrivenOrders => ({
  payments: payments.map(({ id, outTradeNo, totalFen, state, refundedFen }) => ({
    id,
    outTradeNo,
    amountFen: totalFen,
    isPaid: state === 'paid',
    lastAnswer: { state, amountFen: totalFen, refundedFen },
  })),
  refunds: refunds
    .filter(({ origin }) => origin === 'api')
    .map(({ id, outRefundNo, paymentId, amountFen, state }) => ({
      id,
      outRefundNo,
      paymentId,
      outTradeNo: paymentId.replace('id-', ''),
      amountFen,
      decision: state === 'rejected' ? 'reject' : 'approve',
      lastAnswer: { state },
    })),
  portalRefunds: [{ outTradeNo: 'P1', outRefundNo: 'RP', amountFen: 100 }],
})

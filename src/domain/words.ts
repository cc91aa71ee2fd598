import type { Disposition, PaymentState, RefundCause, RefundOrigin, RefundState } from './states.js'

/** The word of each state for each audience. No other state word exists in the sources. */
export interface RefundWords {
  readonly backOffice: string
  readonly finance: string
  readonly buyer: string
  readonly en: string
}

export interface PaymentWords {
  readonly zh: string
  readonly en: string
}

export const PAYMENT_WORDS: Readonly<Record<PaymentState, PaymentWords>> = {
  created: { zh: '待下单', en: 'created' },
  awaiting_payment: { zh: '待支付', en: 'awaiting payment' },
  paid: { zh: '已支付', en: 'paid' },
  closed: { zh: '已关闭', en: 'closed' },
  failed: { zh: '下单失败', en: 'placing failed' },
}

export const DISPOSITION_WORDS: Readonly<Record<Disposition, PaymentWords>> = {
  accepted: { zh: '已入账', en: 'accepted' },
  held: { zh: '金额不符待处理', en: 'held: does not match the order' },
  surplus: { zh: '多收款自动退回', en: 'surplus: goes back by itself' },
}

const words = (backOffice: string, finance: string, buyer: string, en: string): RefundWords => ({
  backOffice,
  finance,
  buyer,
  en,
})

export const REFUND_WORDS: Readonly<Record<RefundState, RefundWords>> = {
  pending: words('待审核', '申请退款', '待商家处理', 'waiting for approval'),
  approved: words('已同意', '待退款', '商家已同意', 'approved, nothing sent yet'),
  refunding: words('退款中', '退款中', '退款中', 'on its way'),
  needs_attention: words(
    '待人工处理',
    '自动退款失败·待处理',
    '退款处理中,请联系商家',
    'needs a person',
  ),
  done: words('退款完成', '退款完成', '退款成功', 'given back'),
  settled: words('已线下退款', '已线下退款', '商家已线下退款', 'given back by other means'),
  failed: words(
    '退款失败',
    '自动退款失败·已关闭',
    '退款未成功,可重新申请',
    'closed by the channel',
  ),
  rejected: words('已拒绝', '不涉及资金', '商家已拒绝', 'rejected'),
  cancelled: words('已撤销', '不涉及资金', '您已撤销', 'cancelled'),
  expired: words('超时关闭', '不涉及资金', '商家超时未处理,可重新申请', 'expired undecided'),
}

/** Where a refund comes from, beside its state. */
export const REFUND_ORIGIN_WORDS: Readonly<Record<RefundOrigin, PaymentWords>> = {
  api: { zh: '商家申请', en: 'asked for over the API' },
  system: { zh: '系统退款', en: 'made by the engine' },
  external: { zh: '平台退款', en: "made in WeChat Pay's own portal" },
}

/** Causes that have a word of their own; every other one is shown by its state alone. */
export const REFUND_CAUSE_WORDS: Readonly<Partial<Record<RefundCause, RefundWords>>> = {
  insufficient_balance: words(
    '退款中·余额不足',
    '待退款·余额不足',
    '退款中',
    'waits for the merchant balance',
  ),
  credentials: words(
    '退款中·账户配置异常',
    '待退款·账户配置异常',
    '退款中',
    'waits for the account to be set right',
  ),
  abnormal: words('退款异常', '自动退款失败·待处理', '退款处理中,请联系商家', 'abnormal at WeChat'),
  amount_differs: words(
    '退款金额不符',
    '退款金额不符·待处理',
    '退款处理中,请联系商家',
    'another amount at WeChat',
  ),
  beyond_paid: words(
    '退款超出实付',
    '退款超出实付·待处理',
    '退款处理中,请联系商家',
    'more than was paid',
  ),
}

/** The words of a refund, by its cause where that has its own. */
export function refundWords(state: RefundState, cause: RefundCause | null): RefundWords {
  const own = cause === null ? undefined : REFUND_CAUSE_WORDS[cause]
  const applies = state === 'refunding' || state === 'needs_attention'
  return applies && own !== undefined ? own : REFUND_WORDS[state]
}

/** What a person has to look at, by kind. The database's table of kinds is seeded from here. */

interface CaseTerms {
  readonly zh: string
  readonly en: string
  /** What happened, and what is asked of the person. */
  readonly meaning: string
}

export const CASE_KINDS = {
  refunds_exceed_payment: {
    zh: '退款超出实付金额',
    en: 'refunds exceed the payment',
    meaning:
      'A refund made in the portal of WeChat Pay does not fit beside those that were asked for ' +
      'here. Nothing more is sent until enough of them are cancelled; then it resolves by itself.',
  },
  refund_beyond_paid: {
    zh: '平台退款金额异常',
    en: 'a refund beyond what was paid',
    meaning:
      'WeChat Pay shows a refund that cannot be: with it more would be given back than was paid. ' +
      'Nothing was booked.',
  },
  payment_held: {
    zh: '收款不符待处理',
    en: 'money that does not match its order',
    meaning: 'Money came that is not what was ordered. It waits in suspense for a decision.',
  },
} as const satisfies Readonly<Record<string, CaseTerms>>

export type CaseKind = keyof typeof CASE_KINDS

/** What a case is about: a row of ours, or a refund that only the channel has. */
export type CaseCause = 'payment' | 'refund' | 'channel_refund'

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
      'here. Nothing more is sent until enough of them are cancelled; then it resolves by ' +
      'itself. A person resolves it where none of them can be cancelled any more.',
  },
  refund_beyond_paid: {
    zh: '平台退款金额异常',
    en: 'a refund beyond what was paid',
    meaning:
      'WeChat Pay shows a refund that cannot be: with it more would be given back than was paid. ' +
      'One made here stands in transit and waits for a person; one of the portal is not booked.',
  },
  refund_differs: {
    zh: '平台退款金额不一致',
    en: 'a refund of another amount',
    meaning:
      'WeChat Pay shows a refund of ours with another amount, or another total of its order. ' +
      'Nothing was booked as given back.',
  },
  refund_after_end: {
    zh: '退款结束后到账',
    en: 'a refund that came after its end',
    meaning:
      'WeChat Pay says that a refund was given back which had ended here as settled by other ' +
      'means, or as failed. Nothing was booked: the buyer may have it twice.',
  },
  payment_held: {
    zh: '收款不符待处理',
    en: 'money that does not match its order',
    meaning:
      'Money came that is not what was ordered. It waits in suspense for a decision, which ' +
      'resolves the case.',
  },
} as const satisfies Readonly<Record<string, CaseTerms>>

export type CaseKind = keyof typeof CASE_KINDS

/** What a case is about: a row of ours, or a refund that only the channel has. */
export type CaseCause = 'payment' | 'refund' | 'channel_refund'

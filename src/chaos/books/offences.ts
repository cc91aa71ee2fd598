/** Which part of the verdict an offence stands in. */
export type OffenceClass = 'lost' | 'doubled' | 'overRefunded' | 'stuck' | 'other'

/** Everything that four books can disagree about, by name, with where the verdict counts it. */
export const OFFENCES = {
  /** The API took a payment or a refund, and no row holds it. */
  payment_row_lost: 'lost',
  refund_row_lost: 'lost',
  decision_lost: 'lost',
  /** The buyer paid, and the book does not say so. */
  payment_lost: 'lost',
  /** The channel gave money back, and the book does not say so. */
  refund_lost: 'lost',
  portal_refund_lost: 'lost',
  /** The book says that the buyer has the money back, and the channel does not. */
  done_without_channel: 'lost',
  /** The channel was told SUCCESS for a notification that no row holds. */
  notification_lost: 'lost',
  posting_missing: 'lost',
  event_missing: 'lost',

  order_accepted_twice: 'doubled',
  ordered_twice: 'doubled',
  refunded_twice: 'doubled',
  approved_twice: 'doubled',
  settled_and_refunded: 'doubled',
  posted_twice: 'doubled',
  event_twice: 'doubled',

  /** More is promised, or given back, than was paid. */
  over_reserved: 'overRefunded',
  over_refunded: 'overRefunded',
  over_refunded_at_channel: 'overRefunded',

  payment_open: 'stuck',
  refund_open: 'stuck',
  fact_unapplied: 'stuck',
  decision_unapplied: 'stuck',
  resolution_unapplied: 'stuck',
  workflow_open: 'stuck',
  workflow_missing: 'stuck',
  workflow_broken: 'stuck',

  paid_without_channel: 'other',
  paid_amount_differs: 'other',
  accepted_wrong_amount: 'other',
  closed_but_payable: 'other',
  refund_amount_differs: 'other',
  sent_without_approval: 'other',
  approved_by_requester: 'other',
  counter_differs: 'other',
  posting_differs: 'other',
  posting_without_cause: 'other',
  balance_differs: 'other',
  answer_contradicted: 'other',
  history_differs: 'other',
  history_illegal: 'other',
  workflow_without_row: 'other',
} as const satisfies Record<string, OffenceClass>

export type Offence = keyof typeof OFFENCES

/** Who or what is wrong, by the name under which a person finds it. */
export interface Offender {
  readonly kind: Offence
  /** A number of an order or a refund, or the id of a row. */
  readonly subject: string
  readonly sentence: string
}

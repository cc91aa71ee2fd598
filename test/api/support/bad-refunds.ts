import {
  NOBODY,
  once,
  REFUND,
  refusedCall,
  type BadInput,
  type Outcome,
  type Standing,
} from './bad-input.js'

/** What is refused of refunds and of decisions about money, as rows of docs/reference/errors.md. */

const DAYS_TOO_OLD = 366
const HOUR_S = 3_600

const refusedRefund = (
  what: string,
  [status, code]: Outcome,
  change: (standing: Standing) => object,
  more: Pick<BadInput, 'given'> = {},
): BadInput => ({
  what,
  status,
  code,
  counter: `refund_requests_total{result="${code}"}`,
  log: 'answered',
  ...more,
  request: (standing) => ({
    call: 'POST /v1/refunds',
    as: 'asker',
    idempotencyKey: once(),
    body: { ...REFUND, ...change(standing) },
  }),
})

const OF_REFUNDS: readonly BadInput[] = [
  refusedRefund('a refund above what is left', [409, 'refund_exceeds_payment'], ({ paidId }) => ({
    paymentId: paidId,
    amountFen: 1_001,
  })),
  refusedRefund('a refund of an order not paid', [409, 'payment_not_paid'], ({ openId }) => ({
    paymentId: openId,
  })),
  refusedRefund('a refund of a closed order', [409, 'payment_not_paid'], ({ closedId }) => ({
    paymentId: closedId,
  })),
  refusedRefund('a refund of money that is held', [409, 'payment_held'], ({ heldId }) => ({
    paymentId: heldId,
  })),
  refusedRefund('a refund of another merchant’s payment', [404, 'not_found'], ({ foreignId }) => ({
    paymentId: foreignId,
  })),
  refusedRefund('a refund of a payment nobody knows', [404, 'not_found'], () => ({
    paymentId: NOBODY,
  })),
  refusedRefund('the 51st refund of a payment', [409, 'refund_count_reached'], ({ fiftyId }) => ({
    paymentId: fiftyId,
  })),
  refusedRefund(
    'a refund 366 days after the payment',
    [409, 'refund_too_old'],
    ({ paidId }) => ({ paymentId: paidId }),
    { given: (stage) => stage.later(DAYS_TOO_OLD) },
  ),
  refusedRefund(
    'a refund sooner after the last one than the merchant’s rules allow',
    [409, 'refund_too_soon'],
    ({ pendingRefundPaymentId }) => ({ paymentId: pendingRefundPaymentId }),
    { given: (stage) => stage.wantsBetweenRefunds(HOUR_S) },
  ),
]

const decision = (
  what: string,
  outcome: Outcome,
  verb: 'approve' | 'reject' | 'cancel',
  {
    refund,
    by = 'zhao.min',
    given = (stage) => stage.judges(),
  }: {
    readonly refund: 'pendingRefundId' | 'rejectedRefundId'
    readonly by?: string
    readonly given?: NonNullable<BadInput['given']>
  },
): BadInput =>
  refusedCall(what, outcome, {
    route: `/v1/refunds/:id/${verb}`,
    as: 'approver',
    counter: 'refund_requests_total',
    given,
    path: (standing) => `/v1/refunds/${standing[refund]}/${verb}`,
    body: () => ({ actingUser: by, reason: 'seen' }),
  })

const DECIDED: Outcome = [409, 'refund_state_conflict']

const OF_DECISIONS: readonly BadInput[] = [
  decision('approving what somebody else rejected', DECIDED, 'approve', {
    refund: 'rejectedRefundId',
  }),
  decision('cancelling what somebody else rejected', DECIDED, 'cancel', {
    refund: 'rejectedRefundId',
  }),
  decision(
    'approving what one asked for, by another spelling of one’s name',
    [409, 'same_principal'],
    'approve',
    { refund: 'pendingRefundId', by: ' LI.NA ' },
  ),
  decision('an approval above the limit of the day', [409, 'daily_limit_reached'], 'approve', {
    refund: 'pendingRefundId',
    given: (stage) => stage.decides('over_day_limit'),
  }),
  decision('an approval above the limit of a person', [409, 'approver_limit_reached'], 'approve', {
    refund: 'pendingRefundId',
    given: (stage) => stage.decides('over_person_limit'),
  }),
]

const settling = (
  what: string,
  outcome: Outcome,
  given: NonNullable<BadInput['given']>,
  as: 'settled' | 'failed' = 'settled',
): BadInput =>
  refusedCall(what, outcome, {
    route: '/v1/refunds/:id/resolve',
    as: 'approver',
    counter: 'refund_requests_total',
    given,
    path: ({ stuckRefundId }) => `/v1/refunds/${stuckRefundId}/resolve`,
    body: () => ({ as, actingUser: 'zhao.min', evidence: 'transfer 7' }),
  })

const OF_STUCK_REFUNDS: readonly BadInput[] = [
  refusedCall('trying a refund again that nobody approved', DECIDED, {
    route: '/v1/refunds/:id/retry',
    as: 'approver',
    counter: 'refund_requests_total',
    path: ({ pendingRefundId }) => `/v1/refunds/${pendingRefundId}/retry`,
    body: () => ({ actingUser: 'zhao.min', reason: 'r' }),
  }),
  settling(
    'confirming oneself that a refund was given back by other means',
    [409, 'second_person_required'],
    (stage) => stage.resolves('same_principal'),
  ),
  settling(
    'settling a refund that WeChat Pay is working on',
    [409, 'refund_still_processing'],
    (stage) => stage.resolves('still_processing'),
  ),
  settling(
    'settling a refund that WeChat Pay may yet take, within 24 hours',
    [409, 'refund_not_proved'],
    (stage) => stage.resolves('not_proved'),
  ),
  settling(
    'giving up a refund whose money came back to the merchant',
    [409, 'refund_still_owed'],
    (stage) => stage.resolves('still_owed'),
    'failed',
  ),
]

export const BAD_REFUNDS: readonly BadInput[] = [
  ...OF_REFUNDS,
  ...OF_DECISIONS,
  ...OF_STUCK_REFUNDS,
]

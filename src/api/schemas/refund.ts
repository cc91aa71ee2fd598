import { Type } from 'typebox'
import { OUT_TRADE_NO } from '../../domain/ids.js'
import { PRINCIPAL_KINDS, REASON_CATEGORIES } from '../../domain/refund.js'
import { REFUND_CAUSES, REFUND_ORIGINS, REFUND_STATES } from '../../domain/states.js'
import {
  actingUser,
  amountFen,
  instant,
  named,
  nullable,
  oneOf,
  pageFields,
  readableText,
  uuid,
} from './fields.js'

/** The payment is named in exactly one of three ways. */
export const RequestRefund = Type.Object(
  {
    paymentId: Type.Optional(uuid('The payment by its id here,')),
    outTradeNo: Type.Optional(
      Type.String({ pattern: OUT_TRADE_NO.source, description: 'or by its order number,' }),
    ),
    transactionId: Type.Optional(
      Type.String({ pattern: '^[0-9A-Za-z]{1,32}$', description: "or by WeChat Pay's number." }),
    ),
    amountFen: amountFen('What is to be given back.'),
    reason: readableText(80, 'The buyer sees it.'),
    reasonCategory: Type.Optional(
      oneOf(REASON_CATEGORIES, "For the merchant's rules; `other` unless given."),
    ),
    shipped: Type.Optional(
      nullable(
        Type.Boolean({ description: 'Whether the goods left; leave it out while nobody knows.' }),
      ),
    ),
    actingUser,
  },
  {
    additionalProperties: false,
    oneOf: [
      { required: ['paymentId'] },
      { required: ['outTradeNo'] },
      { required: ['transactionId'] },
    ],
  },
)

export const DecideRefund = Type.Object(
  { actingUser, reason: readableText(256, 'Why; it stays with the decision.') },
  { additionalProperties: false },
)

/** An approval may be that of a shop of one. */
export const ApproveRefund = Type.Object(
  {
    ...DecideRefund.properties,
    selfApproval: Type.Optional(
      Type.Boolean({
        description:
          'You approve what you asked for yourself: for a merchant that has at most one key to ' +
          'decide with, and allows it in its settings.',
      }),
    ),
  },
  { additionalProperties: false },
)

const words = Type.Object({
  backOffice: Type.String(),
  finance: Type.String(),
  buyer: Type.String(),
  en: Type.String(),
})

export const Decision = Type.Object(
  {
    id: uuid('Its id here.'),
    verb: oneOf(['approve', 'reject', 'cancel'], 'What was decided.'),
    principalKind: oneOf(PRINCIPAL_KINDS, 'The way it came.'),
    principalId: Type.String(),
    actingUser: Type.String(),
    reason: Type.String(),
    storedAt: instant('When it was recorded.'),
    appliedAt: nullable(instant('When the workflow took note of it.')),
    selfApproval: Type.Boolean({ description: 'Asked for and approved by a shop of one.' }),
    outcome: nullable(
      Type.String({
        description: '`applied`, `first_of_two` when another has to approve, or why not.',
      }),
    ),
  },
  { $id: 'Decision' },
)

const refundFields = {
  id: uuid('Its id here.'),
  outRefundNo: Type.String({ description: 'Its number at WeChat Pay, the same in every attempt.' }),
  paymentId: uuid('The payment it gives back.'),
  origin: oneOf(
    REFUND_ORIGINS,
    "Asked for here, opened by the engine, or made by hand in WeChat Pay's own portal.",
  ),
  amountFen: amountFen('What is given back.'),
  state: oneOf(REFUND_STATES, 'Where it stands; only `done` means that the money is back.'),
  cause: nullable(oneOf(REFUND_CAUSES, 'Why it is where it is.')),
  words,
  reason: Type.String(),
  reasonCategory: oneOf(REASON_CATEGORIES, 'Why it was asked for.'),
  shipped: nullable(Type.Boolean({ description: 'Whether the goods had left.' })),
  policyVersion: nullable(
    Type.Integer({ description: 'The version of the rules it was asked for under.' }),
  ),
  approvalsNeeded: Type.Integer({
    minimum: 0,
    maximum: 2,
    description: 'How many people have to approve it; 0: by itself.',
  }),
  requestedBy: nullable(uuid('The API key that asked; null where nobody asked here.')),
  actingUser: Type.String({ description: 'Who asked, as the caller named them.' }),
  holdReason: nullable(Type.String({ description: 'Why nothing was sent yet.' })),
  holdUntil: nullable(instant('Until when it is held.')),
  lastCode: nullable(Type.String({ description: "The code of WeChat Pay's last answer." })),
  lastMessage: nullable(Type.String()),
  refundId: nullable(Type.String({ description: "WeChat Pay's number." })),
  retryOf: nullable(uuid('The closed refund that this one tries again.')),
  slow: Type.Boolean({
    description: 'WeChat Pay takes longer than an hour; cards take days, and nothing is wrong.',
  }),
  submitCount: Type.Integer({ minimum: 0, description: 'How often it was sent.' }),
  expiresAt: instant('Until when somebody may decide.'),
  remindedAt: nullable(instant('When it was reminded of.')),
  escalatedAt: nullable(instant('When it was escalated, which gave it the deadline once more.')),
  firstSubmittedAt: nullable(instant('When it was first sent.')),
  acceptedAt: nullable(instant('When WeChat Pay took it; that is not yet a refund.')),
  doneAt: nullable(instant('When WeChat Pay said it is done.')),
  createdAt: instant('When it was asked for.'),
  updatedAt: instant('When it last changed.'),
}

export const Refund = Type.Object(refundFields, { $id: 'Refund' })

export const RefundWithDecisions = Type.Object(
  { ...refundFields, decisions: Type.Array(named(Decision)) },
  { $id: 'RefundWithDecisions' },
)

/** The decision stands in its row; the workflow has not taken note of it yet. */
export const RecordedDecision = Type.Object(
  { outcome: oneOf(['recorded'], 'It will be applied.'), decisionId: uuid('Its id.') },
  { $id: 'RecordedDecision' },
)

export const RefundsQuery = Type.Object(
  {
    ...pageFields,
    state: Type.Optional(oneOf(REFUND_STATES, 'Only refunds in this state.')),
    paymentId: Type.Optional(uuid('Only refunds of this payment.')),
  },
  { additionalProperties: false },
)

export const RefundPage = Type.Object(
  {
    items: Type.Array(named(Refund)),
    nextCursor: nullable(Type.String({ description: 'Null on the last page.' })),
  },
  { $id: 'RefundPage' },
)

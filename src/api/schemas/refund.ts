import { Type } from 'typebox'
import { OUT_TRADE_NO } from '../../domain/ids.js'
import { REFUND_CAUSES, REFUND_STATES } from '../../domain/states.js'
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
    principalKind: oneOf(['api_key', 'temporal-operator'], 'How the one who decided is known.'),
    principalId: Type.String(),
    actingUser: Type.String(),
    reason: Type.String(),
    storedAt: instant('When it was recorded.'),
    appliedAt: nullable(instant('When the workflow took note of it.')),
    outcome: nullable(Type.String({ description: '`applied`, or why it moved nothing.' })),
  },
  { $id: 'Decision' },
)

const refundFields = {
  id: uuid('Its id here.'),
  outRefundNo: Type.String({ description: 'Its number at WeChat Pay, the same in every attempt.' }),
  paymentId: uuid('The payment it gives back.'),
  amountFen: amountFen('What is given back.'),
  state: oneOf(REFUND_STATES, 'Where it stands; only `done` means that the money is back.'),
  cause: nullable(oneOf(REFUND_CAUSES, 'Why it is where it is.')),
  words,
  reason: Type.String(),
  requestedBy: uuid('The API key that asked.'),
  actingUser: Type.String({ description: 'Who asked, as the caller named them.' }),
  holdReason: nullable(Type.String({ description: 'Why nothing was sent yet.' })),
  holdUntil: nullable(instant('Until when it is held.')),
  lastCode: nullable(Type.String({ description: "The code of WeChat Pay's last answer." })),
  lastMessage: nullable(Type.String()),
  refundId: nullable(Type.String({ description: "WeChat Pay's number." })),
  submitCount: Type.Integer({ minimum: 0, description: 'How often it was sent.' }),
  expiresAt: instant('Until when somebody may decide.'),
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

import { Type } from 'typebox'
import { OUT_TRADE_NO } from '../../domain/ids.js'
import { HELD_RESOLUTIONS } from '../../domain/payment.js'
import { actingUser, instant, oneOf, readableText } from './fields.js'
import { Payment } from './payment.js'

export const ResolvePayment = Type.Object(
  {
    as: oneOf(HELD_RESOLUTIONS, '`accept` takes the money, `refund` gives all of it back.'),
    actingUser,
    reason: readableText(256, 'Why; it stays with the decision.'),
  },
  { additionalProperties: false },
)

/** What WeChat Pay can say of an order. */
const SAID = [
  'paid',
  'not_paid',
  'paying',
  'closed',
  'pay_error',
  'not_exist',
  'refused',
  'unknown',
] as const

/** A payment with what WeChat Pay just said of it. */
export const AskedPayment = Type.Object(
  {
    ...Payment.properties,
    channel: Type.Object({
      said: oneOf(SAID, 'What WeChat Pay said of the order.'),
      askedAt: instant('When it said so.'),
    }),
  },
  { $id: 'AskedPayment' },
)

/** The order is named in exactly one of two ways. */
export const AdoptPayment = Type.Object(
  {
    appId: Type.String({
      pattern: '^[0-9A-Za-z_-]{1,32}$',
      description: 'The mini-program the order was placed with.',
    }),
    outTradeNo: Type.Optional(
      Type.String({ pattern: OUT_TRADE_NO.source, description: 'The order by its own number,' }),
    ),
    transactionId: Type.Optional(
      Type.String({ pattern: '^[0-9A-Za-z]{1,32}$', description: "or by WeChat Pay's number." }),
    ),
  },
  {
    additionalProperties: false,
    oneOf: [{ required: ['outTradeNo'] }, { required: ['transactionId'] }],
  },
)

import { Type } from 'typebox'
import { OUT_TRADE_NO } from '../../domain/ids.js'
import { DISPOSITIONS, PAYMENT_STATES } from '../../domain/states.js'
import { PAYMENT_EXPIRY_MS } from '../../domain/waits.js'
import {
  amountFen,
  instant,
  named,
  nullable,
  oneOf,
  pageFields,
  readableText,
  sumFen,
  uuid,
} from './fields.js'

const outTradeNo = Type.String({
  pattern: OUT_TRADE_NO.source,
  description: 'The order number at WeChat Pay: 6 to 32 of `0-9A-Za-z_|*-`, unique for ever.',
  examples: ['P1FJ0ZK8QH5T2W3XVBN4M7R'],
})
const orderRef = readableText(64, 'Your own order; of its payments at most one is open or paid.')

/** What a client may say of a payment; the amount is an integer of fen and never coerced. */
export const CreatePayment = Type.Object(
  {
    amountFen: amountFen('What the buyer pays.'),
    description: readableText(127, 'What is bought; the buyer sees it behind the short name.'),
    openid: Type.String({
      pattern: '^[0-9A-Za-z_-]{1,128}$',
      description: 'The buyer, as the mini-program knows them.',
    }),
    orderRef: Type.Optional(orderRef),
    outTradeNo: Type.Optional(outTradeNo),
    appId: Type.Optional(
      Type.String({
        pattern: '^[0-9A-Za-z_-]{1,32}$',
        description: 'Which mini-program; the first of your account unless given.',
      }),
    ),
    payerIp: Type.Optional(
      Type.String({
        format: 'ip',
        maxLength: 45,
        description: 'The address of the buyer; the address of this call unless given.',
      }),
    ),
    expiresInSeconds: Type.Optional(
      Type.Integer({
        minimum: PAYMENT_EXPIRY_MS.least / 1_000,
        maximum: PAYMENT_EXPIRY_MS.most / 1_000,
        description: `How long it can be paid; ${PAYMENT_EXPIRY_MS.usual / 1_000} unless given.`,
      }),
    ),
    attach: Type.Optional(
      readableText(127, 'Comes back from WeChat Pay unchanged; at most 127 bytes.', 127),
    ),
  },
  { additionalProperties: false },
)

const words = Type.Object({ zh: Type.String(), en: Type.String() })

const paymentFields = {
  id: uuid('Its id here.'),
  outTradeNo,
  orderRef: nullable(orderRef),
  description: Type.String(),
  mchId: Type.String(),
  appId: Type.String(),
  state: oneOf(PAYMENT_STATES, 'Where it stands; `paid` is for ever.'),
  disposition: nullable(
    oneOf(
      DISPOSITIONS,
      '`held`: paid, but not as ordered, and a person decides; `surplus`: paid late or ' +
        'twice, and it goes back by itself.',
    ),
  ),
  attention: nullable(Type.String({ description: 'Why what was paid is held or goes back.' })),
  failureCode: nullable(Type.String({ description: "WeChat Pay's code when it was not placed." })),
  words,
  amountFen: amountFen('What was ordered.'),
  paidFen: nullable(sumFen('What the buyer paid.')),
  reservedFen: sumFen('Refunds that were asked for and have not ended.'),
  refundedFen: sumFen('Refunds that WeChat Pay says are done.'),
  refundableFen: sumFen('What can still be asked back.'),
  transactionId: nullable(Type.String({ description: "WeChat Pay's number." })),
  expiresAt: instant('Until when it can be paid.'),
  paidAt: nullable(instant('When the buyer paid.')),
  createdAt: instant('When it was created.'),
  updatedAt: instant('When it last changed.'),
}

export const Payment = Type.Object(paymentFields, { $id: 'Payment' })

export const FrontEnd = Type.Object(
  {
    appId: Type.String(),
    timeStamp: Type.String(),
    nonceStr: Type.String(),
    package: Type.String(),
    signType: oneOf(['MD5', 'HMAC-SHA256'], 'The algorithm of the signature.'),
    paySign: Type.String(),
  },
  { $id: 'FrontEnd', description: 'Arguments of `wx.requestPayment`; signed afresh each time.' },
)

/** A payment with what its buyer needs to pay it, while it can be paid. */
export const PayablePayment = Type.Object(
  { ...paymentFields, frontEnd: nullable(named(FrontEnd)) },
  { $id: 'PayablePayment' },
)

export const PaymentsQuery = Type.Object(
  {
    ...pageFields,
    state: Type.Optional(oneOf(PAYMENT_STATES, 'Only payments in this state.')),
    orderRef: Type.Optional(orderRef),
  },
  { additionalProperties: false },
)

export const PaymentPage = Type.Object(
  {
    items: Type.Array(named(Payment)),
    nextCursor: nullable(Type.String({ description: 'Null on the last page.' })),
  },
  { $id: 'PaymentPage' },
)

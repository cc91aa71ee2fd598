import { Type } from 'typebox'
import { LATE_PAYMENTS } from '../../db/merchant-settings.js'
import { AT_DEADLINE } from '../../domain/approval.js'
import { PAYMENT_FEN_MAX } from '../../domain/money.js'
import { REASON_CATEGORIES } from '../../domain/refund.js'
import { actingUser, instant, named, nullable, oneOf, readableText, uuid } from './fields.js'

const exactly = { additionalProperties: false }
const DAY_S = 86_400
const RULES_MAX = 20
const LIMIT_FEN_MAX = PAYMENT_FEN_MAX * 1_000

const merchantId = Type.String({
  pattern: '^[a-z0-9][a-z0-9_-]{1,31}$',
  description: 'Your own; every other one is unknown here.',
})

export const MerchantParams = Type.Object({ id: merchantId })
export const PolicyParams = Type.Object({
  id: merchantId,
  version: Type.Integer({ minimum: 1, maximum: 2 ** 31 - 1 }),
})

const limitFen = (description: string) =>
  Type.Integer({ minimum: 1, maximum: LIMIT_FEN_MAX, description })

const ruleFields = {
  upToFen: Type.Optional(nullable(limitFen('Refunds of at most this.'))),
  withinDays: Type.Optional(
    nullable(
      Type.Integer({
        minimum: 1,
        maximum: 366,
        description: 'Payments at most this many times 24 hours old.',
      }),
    ),
  ),
  shipped: Type.Optional(
    nullable(Type.Boolean({ description: 'What nobody said is neither of both.' })),
  ),
  reasonCategories: Type.Optional(
    nullable(
      Type.Array(oneOf(REASON_CATEGORIES, 'One of the reasons.'), {
        minItems: 1,
        uniqueItems: true,
      }),
    ),
  ),
  approvals: Type.Unsafe<0 | 1 | 2>({
    type: 'integer',
    enum: [0, 1, 2],
    description: 'By itself, one person, or two.',
  }),
}

const policyFields = {
  rules: Type.Array(Type.Object(ruleFields, exactly), {
    minItems: 1,
    maxItems: RULES_MAX,
    description: 'The first that fits decides; the last one fits everything.',
  }),
  dayLimitFen: nullable(limitFen('What the approvals of a Beijing day may come to.')),
  personDayLimitFen: nullable(limitFen('The same for one person.')),
  spacingSeconds: Type.Integer({
    minimum: 0,
    maximum: DAY_S,
    description: 'Two requests for one payment are at least this far apart; 0 asks for nothing.',
  }),
  deadlineSeconds: Type.Integer({
    minimum: 60,
    maximum: 30 * DAY_S,
    description: 'How long a refund waits for a decision; at half of it, it is reminded of.',
    examples: [DAY_S],
  }),
  atDeadline: oneOf(AT_DEADLINE, 'What happens when nobody decided.'),
  approveUpToFen: nullable(
    limitFen('With `approve`: only refunds of at most this that were not shipped.'),
  ),
}

export const CreatePolicy = Type.Object({ ...policyFields, actingUser }, exactly)

export const Policy = Type.Object(
  {
    version: Type.Integer({ minimum: 1, description: 'It never changes; a new one is added.' }),
    ...policyFields,
    createdBy: uuid('The API key that wrote it.'),
    createdAt: instant('When it was written.'),
  },
  { $id: 'Policy' },
)

const settings = {
  name: readableText(64, 'What people call it.'),
  operatorLimitFen: Type.Integer({
    minimum: 0,
    maximum: PAYMENT_FEN_MAX,
    description: 'What an approval typed into Temporal may release at most.',
  }),
  selfApproval: Type.Boolean({
    description: 'A merchant with one key to decide with may approve what it asked for.',
  }),
  latePayments: oneOf(LATE_PAYMENTS, 'What becomes of money that comes after its order closed.'),
}

export const ChangeMerchant = Type.Object(
  {
    ...settings,
    refundsStopped: Type.Boolean({
      description: 'The stop switch: approvals are recorded and nothing is sent.',
    }),
    actingUser,
  },
  exactly,
)

export const Merchant = Type.Object(
  {
    id: merchantId,
    ...settings,
    refundsStoppedAt: nullable(instant('Since when nothing is sent.')),
    policy: nullable(named(Policy)),
    accounts: Type.Array(
      Type.Object({
        id: uuid('Its id here.'),
        mchId: Type.String(),
        mode: oneOf(['live', 'sandbox'], 'Real money, or not.'),
        appIds: Type.Array(Type.String()),
      }),
    ),
    createdAt: instant('When it was added.'),
  },
  { $id: 'Merchant' },
)

const CREDENTIAL_KINDS = ['v2_key', 'merchant_certificate', 'merchant_private_key'] as const

export const Credential = Type.Object(
  {
    accountId: uuid('The channel account.'),
    mchId: Type.String(),
    kind: oneOf(CREDENTIAL_KINDS, 'What it is; the secret itself is never told.'),
    version: Type.Integer({ minimum: 1 }),
    state: oneOf(['active', 'retired'], 'The two newest are active.'),
    serialNumber: nullable(Type.String({ description: 'Of a certificate.' })),
    notAfter: nullable(instant('When it ends.')),
    createdAt: instant('When it was added.'),
  },
  { $id: 'Credential' },
)

export const Credentials = Type.Object(
  { items: Type.Array(named(Credential)) },
  { $id: 'Credentials' },
)

const pem = Type.String({ minLength: 1, maxLength: 16_384 })

/** One secret at a time; a certificate comes with its key. */
export const AddCredential = Type.Object(
  {
    accountId: uuid('The channel account it is of.'),
    actingUser,
    apiV2Key: Type.Optional(
      Type.String({ pattern: '^[0-9A-Za-z]{32}$', description: 'The next API key of WeChat Pay.' }),
    ),
    p12Base64: Type.Optional(
      Type.String({
        pattern: '^[0-9A-Za-z+/\\s]+=*\\s*$',
        maxLength: 32_768,
        description: 'The PKCS#12 file of WeChat Pay, which opens with the merchant number; or',
      }),
    ),
    certificate: Type.Optional(Type.Object({ certPem: pem, keyPem: pem }, exactly)),
  },
  exactly,
)

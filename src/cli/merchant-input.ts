import { Ajv, type ErrorObject } from 'ajv'
import { Type, type Static } from 'typebox'
import { isMerchantId } from '../domain/ids.js'

/** The API key of WeChat Pay V2 has 32 characters. */
const API_V2_KEY = '^[0-9A-Za-z]{32}$'

const word = (max: number) => Type.String({ minLength: 1, maxLength: max })
const choice = <const V extends readonly string[]>(values: V) =>
  Type.Unsafe<V[number]>({ type: 'string', enum: [...values] })
const exactly = { additionalProperties: false }

const Certificate = Type.Union([
  Type.Object({ certPem: Type.String(), keyPem: Type.String() }, exactly),
  Type.Object({ p12Base64: Type.String() }, exactly),
])

const Account = Type.Object(
  {
    mode: choice(['live', 'sandbox']),
    mchId: Type.String({ pattern: '^[0-9A-Za-z]{1,32}$' }),
    appIds: Type.Array(Type.String({ pattern: '^[0-9A-Za-z_-]{1,32}$' }), {
      minItems: 1,
      uniqueItems: true,
    }),
    apiV2Key: Type.String({ pattern: API_V2_KEY }),
    certificate: Type.Optional(Certificate),
    /** MD5 unless given. */
    signType: Type.Optional(choice(['MD5', 'HMAC-SHA256'])),
    /** Sent with refunds; the merchant's number unless given. */
    opUserId: Type.Optional(word(32)),
    /** Stands before every description that buyers see. */
    shortName: word(32),
    /** What waits are multiplied by; other than 1 only for a sandbox with a fast clock. */
    timeScale: Type.Optional(Type.Number({ exclusiveMinimum: 0 })),
  },
  exactly,
)

const Merchant = Type.Object(
  {
    id: Type.String(),
    name: word(64),
    /** What an approval typed into Temporal may release at most; 0 unless given. */
    operatorLimitFen: Type.Optional(Type.Integer({ minimum: 0 })),
    account: Account,
  },
  exactly,
)

const Rotation = Type.Object(
  {
    mchId: Type.Optional(Account.properties.mchId),
    apiV2Key: Type.Optional(Account.properties.apiV2Key),
    certificate: Type.Optional(Certificate),
  },
  { ...exactly, minProperties: 1 },
)

/** What is replaced of an account: the key, the certificate, or both. */
export type Rotation = Static<typeof Rotation>

/** A merchant with its one channel account, as an operator writes it into a file. */
export type MerchantInput = Static<typeof Merchant>

/** One sentence about what is wrong with an input; it never holds a secret. */
export class InputError extends Error {
  override readonly name = 'InputError'
}

const isMerchant = new Ajv({ strict: false }).compile<MerchantInput>(Merchant)

const isRotation = new Ajv({ strict: false }).compile<Rotation>(Rotation)

/** @throws InputError naming the first member that is missing or wrong. */
export function parseRotation(value: unknown): Rotation {
  if (isRotation(value)) return value
  throw new InputError(sentenceOf(isRotation.errors?.[0]))
}

/** @throws InputError naming the first member that is missing or wrong. */
export function parseMerchant(value: unknown): MerchantInput {
  if (!isMerchant(value)) throw new InputError(sentenceOf(isMerchant.errors?.[0]))
  if (!isMerchantId(value.id)) {
    throw new InputError('id must be a slug of 2 to 32 of a-z, 0-9, _ and -.')
  }
  const { mode, timeScale = 1 } = value.account
  if (mode === 'live' && timeScale !== 1) {
    throw new InputError('account.timeScale must be 1 for an account that takes real money.')
  }
  return value
}

/** The validator's messages name members, types and limits, and never what was given. */
function sentenceOf(error: ErrorObject | undefined): string {
  const path = (error?.instancePath ?? '').split('/').slice(1).join('.')
  const certificate = /^(?:account[.])?certificate/.exec(path)?.[0]
  if (certificate !== undefined) {
    return `${certificate} must be {certPem, keyPem} or {p12Base64}.`
  }
  const extra: unknown = error?.params['additionalProperty']
  const member = typeof extra === 'string' ? `: ${extra}` : ''
  return `${path === '' ? 'The merchant' : path} ${error?.message ?? 'is not valid'}${member}.`
}

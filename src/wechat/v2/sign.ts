import { createHash, createHmac, timingSafeEqual } from 'node:crypto'

export type SignType = 'MD5' | 'HMAC-SHA256'

/** Fields of a V2 message by name. */
export type Fields = ReadonlyMap<string, string>

const SIGN_TYPE_BY_LENGTH: ReadonlyMap<number, SignType> = new Map([
  [32, 'MD5'],
  [64, 'HMAC-SHA256'],
])

/**
 * What V2 signs: every field with a value except `sign`, in ASCII order of the names, joined as
 * `name=value` with `&`, then the API key. Unknown fields take part too, because the channel may
 * add fields at any time and signs them.
 */
export function stringToSign(fields: Fields, apiKey: string): string {
  const pairs = [...fields]
    .filter(([name, value]) => name !== 'sign' && value !== '')
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
  return [...pairs, `key=${apiKey}`].join('&')
}

/** Signs fields with the API key: upper-case hex, 32 characters for MD5, 64 for HMAC-SHA256. */
export function signFields(fields: Fields, apiKey: string, signType: SignType): string {
  const text = stringToSign(fields, apiKey)
  // The key is the HMAC's key and still ends the text: that is how V2 defines it.
  const hash = signType === 'MD5' ? createHash('md5') : createHmac('sha256', apiKey)
  return hash.update(text, 'utf8').digest('hex').toUpperCase()
}

/** Which algorithm made a signature, told by its length; nothing when it is none of V2's. */
function signTypeOf(sign: string): SignType | undefined {
  return SIGN_TYPE_BY_LENGTH.get(sign.length)
}

/**
 * Whether the `sign` among the fields is right. Answers do not always echo `sign_type`, so the
 * algorithm is taken from the signature's length unless one is demanded. Never throws.
 */
export function verifyFields(fields: Fields, apiKey: string, demanded?: SignType): boolean {
  const sign = fields.get('sign') ?? ''
  const signType = signTypeOf(sign)
  if (signType === undefined || (demanded !== undefined && demanded !== signType)) return false
  const given = Buffer.from(sign, 'utf8')
  const expected = Buffer.from(signFields(fields, apiKey, signType), 'utf8')
  // The length in characters is right; the one in bytes may differ when a character is not ASCII.
  return given.length === expected.length && timingSafeEqual(given, expected)
}

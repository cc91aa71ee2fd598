import { createCipheriv, createHash, createHmac, timingSafeEqual } from 'node:crypto'

export const SIGN_TYPES = ['MD5', 'HMAC-SHA256'] as const
export type SignType = (typeof SIGN_TYPES)[number]

/** Fields of a message; the ones without a value take no part in a signature. */
export type Fields = Readonly<Record<string, string>>

/**
 * Signs all fields with a value except `sign`, by WeChat Pay V2's rule: sorted by name in ASCII
 * order, joined as `name=value` with `&`, closed with the API key, then hashed to upper-case hex.
 */
export function signFields(fields: Fields, apiKey: string, signType: SignType): string {
  const pairs: string[] = []
  for (const name of Object.keys(fields).toSorted()) {
    const value = fields[name]
    if (name !== 'sign' && value !== undefined && value !== '') pairs.push(`${name}=${value}`)
  }
  pairs.push(`key=${apiKey}`)
  const text = pairs.join('&')
  const hash = signType === 'MD5' ? createHash('md5') : createHmac('sha256', apiKey)
  return hash.update(text, 'utf8').digest('hex').toUpperCase()
}

/** Whether `fields.sign` is the signature of the other fields, compared in constant time. */
export function isSigned(fields: Fields, apiKey: string, signType: SignType): boolean {
  const expected = Buffer.from(signFields(fields, apiKey, signType))
  const given = Buffer.from(fields['sign'] ?? '')
  return given.length === expected.length && timingSafeEqual(given, expected)
}

/**
 * Encrypts the inner document of a refund notification (`req_info`): AES-256-ECB with PKCS#7
 * padding, the key being the lower-case hex MD5 of the API key read as 32 bytes; Base64.
 */
export function encryptRequestInfo(document: string, apiKey: string): string {
  const key = createHash('md5').update(apiKey, 'utf8').digest('hex')
  const cipher = createCipheriv('aes-256-ecb', Buffer.from(key, 'ascii'), null)
  return Buffer.concat([cipher.update(document, 'utf8'), cipher.final()]).toString('base64')
}

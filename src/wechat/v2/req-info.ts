import { createDecipheriv, createHash } from 'node:crypto'

const BASE64_PATTERN = /^[A-Za-z0-9+/]+={0,2}$/
const BLOCK_BYTES = 16

/**
 * The AES key of a refund notification: the API key's MD5 in lower-case hex, whose 32 characters
 * are the key's 32 bytes.
 */
export function reqInfoKey(apiKey: string): string {
  return createHash('md5').update(apiKey, 'utf8').digest('hex')
}

/**
 * Opens `req_info` (Base64 of AES-256-ECB with PKCS#7 padding); nothing when it is not that or
 * was made with another key. ECB protects nothing against change, so what comes out must be
 * confirmed by a query before money moves.
 */
export function decryptReqInfo(reqInfo: string, apiKey: string): Uint8Array | undefined {
  const base64 = reqInfo.replaceAll(/\s/g, '')
  if (!BASE64_PATTERN.test(base64)) return undefined
  const encrypted = Buffer.from(base64, 'base64')
  if (encrypted.length === 0 || encrypted.length % BLOCK_BYTES !== 0) return undefined
  try {
    const decipher = createDecipheriv('aes-256-ecb', reqInfoKey(apiKey), null)
    return Buffer.concat([decipher.update(encrypted), decipher.final()])
  } catch {
    // Wrong padding: the key is another one, or the message was changed.
    return undefined
  }
}

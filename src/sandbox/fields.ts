import { isIP } from 'node:net'
import { refuseMissing, refuseParameter } from './refusal.js'
import type { Fields } from './sign.js'

/** What a field of a request must look like; lengths are in bytes of UTF-8. */
export interface FieldRule {
  readonly name: string
  readonly isRequired?: true
  readonly bytesMax: number
  readonly pattern?: RegExp
}

export const OUT_TRADE_NO = /^[0-9A-Za-z_\-|*]{6,32}$/
export const OUT_REFUND_NO = /^[0-9A-Za-z_\-|*@]{1,64}$/
/** A whole number of fen above zero, written without leading zeros. */
export const FEN = /^[1-9]\d{0,9}$/
export const DIGITS_14 = /^\d{14}$/

/** Fields that every call has; the signature's own rules are checked before these. */
export const COMMON_RULES: readonly FieldRule[] = [
  { name: 'appid', isRequired: true, bytesMax: 32 },
  { name: 'mch_id', isRequired: true, bytesMax: 32 },
  { name: 'nonce_str', isRequired: true, bytesMax: 32 },
  { name: 'sign', isRequired: true, bytesMax: 64 },
  { name: 'sign_type', bytesMax: 32, pattern: /^(MD5|HMAC-SHA256)$/ },
]

/**
 * Checks fields one by one; an empty field counts as missing.
 *
 * @throws RefusedError with LACK_PARAMS or PARAM_ERROR
 */
export function checkFields(fields: Fields, rules: readonly FieldRule[]): void {
  for (const rule of rules) {
    const value = fields[rule.name] ?? ''
    if (value === '') {
      if (rule.isRequired) throw refuseMissing(rule.name)
      continue
    }
    if (Buffer.byteLength(value) > rule.bytesMax) throw refuseParameter(rule.name, '超长')
    if (rule.pattern && !rule.pattern.test(value)) throw refuseParameter(rule.name)
  }
}

/**
 * Checks a notification address: absolute, http or https, without query or fragment. A strict
 * sandbox takes only what WeChat Pay takes: https, a public host name, no port.
 *
 * @throws RefusedError with PARAM_ERROR
 */
export function checkNotifyUrl(value: string, isStrict: boolean): void {
  const url = URL.canParse(value) ? new URL(value) : undefined
  if (!url || !/^https?:$/.test(url.protocol) || /[?#]/.test(value)) {
    throw refuseParameter('notify_url')
  }
  if (isStrict && !isPublic(url, value)) throw refuseParameter('notify_url', '须为公网https地址')
}

/** Names that lead nowhere in public (RFC 6761, RFC 6762, and .internal). */
const PRIVATE_NAME = /(^|\.)(localhost|local|internal|intranet|lan|home|test|invalid)\.?$/
/** A port is refused also when it is the usual one, which a parsed address no longer shows. */
const HAS_PORT = /^https?:\/\/[^/]*:\d*(\/|$)/i

function isPublic(url: URL, value: string): boolean {
  const host = url.hostname
  const isAddress = isIP(host) !== 0 || host.startsWith('[')
  const isNamed = host.includes('.') && !isAddress && !PRIVATE_NAME.test(host)
  const hasUser = url.username !== '' || url.password !== ''
  return url.protocol === 'https:' && !HAS_PORT.test(value) && isNamed && !hasUser
}

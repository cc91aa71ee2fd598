/** Every identifier is made or derived here, and nowhere else. */

export const OUT_TRADE_NO = /^[0-9A-Za-z_|*-]{6,32}$/
const OUT_REFUND_NO = /^[0-9A-Za-z_|*@-]{1,64}$/
const MERCHANT_ID = /^[a-z0-9][a-z0-9_-]{1,31}$/
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
/** Every byte as two digits: ids are made by the dozen for each payment. */
const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/** WeChat Pay V2, unifiedorder: 6 to 32 digits, letters and `_ - | *`. */
export const isOutTradeNo = (text: string): boolean => OUT_TRADE_NO.test(text)

/** WeChat Pay V2, refund: at most 64 digits, letters and `_ - | * @`. */
export const isOutRefundNo = (text: string): boolean => OUT_REFUND_NO.test(text)

/** A UUID of any version: what messages and addresses name rows by. */
export const isUuid = (text: string): boolean => UUID.test(text)

/** A merchant's id is a short slug, because operators read it in every workflow id. */
export const isMerchantId = (text: string): boolean => MERCHANT_ID.test(text)

/**
 * The workflow that takes one payment. Its uniqueness for ever is the database's, not Temporal's.
 */
export const paymentWorkflowId = (merchantId: string, outTradeNo: string): string =>
  `payment:${merchantId}:${outTradeNo}`

/** The workflow that takes over one payment made before this engine, by either of its numbers. */
export const adoptWorkflowId = (merchantId: string, number: string): string =>
  `adopt:${merchantId}:${number}`

/** The workflow that gives one refund back. */
export const refundWorkflowId = (merchantId: string, outRefundNo: string): string =>
  `refund:${merchantId}:${outRefundNo}`

/** What a workflow of these ids is about; undefined for one that is about neither. */
export function subjectOfWorkflow(
  workflowId: string,
): { kind: 'payment' | 'refund'; merchantId: string; number: string } | undefined {
  const [kind, merchantId, number, ...more] = workflowId.split(':')
  if (kind !== 'payment' && kind !== 'refund') return undefined
  if (merchantId === undefined || number === undefined || more.length > 0) return undefined
  return { kind, merchantId, number }
}

/** Worker queue for channel calls, beside the queue that runs workflows and the database. */
export const wechatTaskQueue = (taskQueue: string): string => `${taskQueue}-wechat`

/**
 * A UUID of version 7 (RFC 9562): sortable by time, random behind it.
 * @param nowMs milliseconds since 1970
 * @param random at least 10 bytes of a cryptographic generator
 */
export function uuidV7(nowMs: number, random: Uint8Array): string {
  const time = Math.trunc(nowMs).toString(16).padStart(12, '0')
  let tail = ''
  for (const byte of random.subarray(0, 10)) tail += HEX[byte]
  const variant = ((Number.parseInt(tail.slice(3, 5), 16) & 0x3f) | 0x80).toString(16)
  return [
    time.slice(0, 8),
    time.slice(8, 12),
    `7${tail.slice(0, 3)}`,
    `${variant}${tail.slice(5, 7)}`,
    tail.slice(7, 19),
  ].join('-')
}

/**
 * The number of the refund that gives surplus money back: derived, so that it is one for ever. It
 * meets no number that `newNumber` makes, because those hold no `-`.
 */
export const surplusRefundNo = (outTradeNo: string): string => `${outTradeNo}-S`

/**
 * A number for an order or a refund: time in seconds and 80 random bits, both in Crockford's
 * base 32, so that numbers sort by time and cannot be guessed. 23 characters behind the prefix.
 * @param prefix `P` for payments, `R` for refunds: people see the kind at once
 */
export function newNumber(prefix: 'P' | 'R', nowMs: number, random: Uint8Array): string {
  let seconds = Math.trunc(nowMs / 1000)
  let time = ''
  for (let digit = 0; digit < 7; digit += 1) {
    time = CROCKFORD.charAt(seconds % 32) + time
    seconds = Math.trunc(seconds / 32)
  }
  const tail = Array.from(random.subarray(0, 16), (byte) => CROCKFORD.charAt(byte & 31)).join('')
  return `${prefix}${time}${tail}`
}

/** The catalogue of what can be answered to a caller, and of what an activity can fail with. */

/** When the same call is worth repeating: never as it is, after a while, or at once. */
export type RetryClass = 'never' | 'later' | 'now'

interface ErrorEntry {
  /** HTTP status of the problem document. */
  readonly status: number
  readonly retry: RetryClass
  readonly en: string
  readonly zh: string
}

const entry = (status: number, retry: RetryClass, en: string, zh: string): ErrorEntry => ({
  status,
  retry,
  en,
  zh,
})

/**
 * Every code the API answers, with its status, what retrying is worth, and one sentence in each
 * language. `docs/reference/errors.md` is this table and a test holds both to each other.
 */
export const ERRORS = {
  invalid_request: entry(
    400,
    'never',
    'The request is not valid; `errors` names each field.',
    '请求不符合要求,详见 errors 中的各字段。',
  ),
  malformed_body: entry(
    400,
    'never',
    'The body is not what its content type says.',
    '请求体无法解析。',
  ),
  idempotency_key_required: entry(
    400,
    'never',
    'This call moves money: send an Idempotency-Key header.',
    '此接口涉及资金,请提供 Idempotency-Key 请求头。',
  ),
  unauthorized: entry(401, 'never', 'The API key is missing or unknown.', 'API 密钥缺失或无效。'),
  forbidden: entry(
    403,
    'never',
    'The API key lacks the scope this call needs.',
    '该 API 密钥没有此操作所需的权限。',
  ),
  same_principal: entry(
    409,
    'never',
    'Who asked for a refund may not approve it.',
    '退款申请人不能审核自己的申请。',
  ),
  not_found: entry(404, 'never', 'There is no such thing here.', '未找到该对象。'),
  method_not_allowed: entry(405, 'never', 'This address takes POST only.', '此地址只接受 POST。'),
  body_too_large: entry(413, 'never', 'The body is larger than allowed.', '请求体过大。'),
  unsupported_media_type: entry(
    415,
    'never',
    'This content type is not accepted here.',
    '不支持的内容类型。',
  ),
  idempotency_key_reused: entry(
    409,
    'never',
    'This Idempotency-Key was used with another request.',
    '该 Idempotency-Key 已用于不同的请求。',
  ),
  out_trade_no_used: entry(
    409,
    'never',
    'This outTradeNo was used before; numbers are unique for ever.',
    '该商户订单号已使用过,订单号不可重复。',
  ),
  order_ref_open: entry(
    409,
    'later',
    'Another payment of this orderRef is open or paid.',
    '该订单已有进行中或已支付的支付单。',
  ),
  payment_not_open: entry(
    409,
    'never',
    'The payment can no longer be paid.',
    '该支付单已不能支付。',
  ),
  payment_not_paid: entry(
    409,
    'later',
    'The payment is not paid, so nothing can be refunded.',
    '该支付单未支付,不能退款。',
  ),
  payment_held: entry(
    409,
    'later',
    'What was paid does not match the order and waits for a person.',
    '实付与订单不符,等待人工处理。',
  ),
  refund_exceeds_payment: entry(
    409,
    'never',
    'The refund is more than what is left of the payment.',
    '退款金额超过可退金额。',
  ),
  refund_state_conflict: entry(
    409,
    'never',
    'The refund was decided otherwise before.',
    '该退款已有其他处理结果。',
  ),
  account_unusable: entry(
    409,
    'never',
    'The merchant has no channel account or credentials for this.',
    '商户没有可用的渠道账号或凭证。',
  ),
  payment_failed: entry(
    422,
    'never',
    'WeChat Pay refused to place the order.',
    '微信支付拒绝了下单请求。',
  ),
  engine_unavailable: entry(
    503,
    'later',
    'The engine cannot be reached now; nothing is lost, ask again with the same key.',
    '引擎暂时无法连接,请用同一个 Idempotency-Key 重试。',
  ),
  database_unavailable: entry(
    503,
    'later',
    'The database cannot be reached now; ask again with the same key.',
    '数据库暂时无法连接,请用同一个 Idempotency-Key 重试。',
  ),
  internal_error: entry(
    500,
    'later',
    'Something went wrong on our side; it is in the log under this request id.',
    '系统内部错误,请凭请求编号查询日志。',
  ),
} as const satisfies Record<string, ErrorEntry>

export type ErrorCode = keyof typeof ERRORS

/** An error with a code of the catalogue: the only kind that is shown to a caller. */
export class CodedError extends Error {
  override readonly name = 'CodedError'
  readonly code: ErrorCode
  /** Facts for the problem document, such as the amount that is left; never secrets. */
  readonly details: Readonly<Record<string, string | number>>

  constructor(code: ErrorCode, details: Readonly<Record<string, string | number>> = {}) {
    super(code)
    this.code = code
    this.details = details
  }
}

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
  payment_paid: entry(
    409,
    'never',
    'The payment is paid, so it cannot be closed; it can be refunded.',
    '该支付单已支付,不能关闭,可申请退款。',
  ),
  payment_being_paid: entry(
    409,
    'later',
    'The buyer is paying just now, so the order was not closed.',
    '用户正在支付,暂不能关闭订单。',
  ),
  payment_being_placed: entry(
    409,
    'later',
    'The order is still being placed at WeChat Pay, so it cannot be closed yet.',
    '订单正在微信支付下单,暂不能关闭。',
  ),
  payment_known: entry(
    409,
    'never',
    'This payment is known here already; `paymentId` names it.',
    '该支付单已存在,见 paymentId。',
  ),
  order_not_paid: entry(
    409,
    'later',
    'WeChat Pay shows no paid order of this number, so there is nothing to adopt.',
    '微信支付没有该单号的已支付订单,无法接管。',
  ),
  order_not_adoptable: entry(
    409,
    'never',
    'WeChat Pay shows the order with another merchant or appid, or with amounts nobody can book.',
    '微信支付返回的订单属于其他商户或应用,或金额无法入账,不能接管。',
  ),
  payment_not_held: entry(
    409,
    'never',
    'There is no held money to decide about, or it was decided otherwise, or can only go back.',
    '该支付单没有待处理的款项,或已有其他处理结果,或只能退回。',
  ),
  channel_unavailable: entry(
    503,
    'later',
    'WeChat Pay gave no clear answer; nothing was concluded from that, ask again.',
    '微信支付未给出明确答复,未作任何处理,请稍后重试。',
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
  refund_too_old: entry(
    409,
    'never',
    'The payment is older than the 365 days within which WeChat Pay gives money back.',
    '该支付单已超过微信支付 365 天的退款期限。',
  ),
  refund_count_reached: entry(
    409,
    'never',
    'The payment has as many refunds as WeChat Pay takes: 50.',
    '该支付单的退款次数已达微信支付的上限(50 次)。',
  ),
  refund_too_soon: entry(
    409,
    'later',
    'A refund of this payment was asked for a moment ago, and the rules want more time between.',
    '该支付单刚申请过退款,请按商户规则稍后再申请。',
  ),
  daily_limit_reached: entry(
    409,
    'later',
    'The approvals of today would come to more than the limit of the day.',
    '今日审核通过的退款将超过商户的每日限额。',
  ),
  approver_limit_reached: entry(
    409,
    'later',
    'This person has approved as much today as one person may.',
    '该审核人今日审核通过的退款已达个人限额。',
  ),
  refund_state_conflict: entry(
    409,
    'never',
    'The refund was decided otherwise before.',
    '该退款已有其他处理结果。',
  ),
  second_person_required: entry(
    409,
    'never',
    'Somebody else must confirm this: neither who asked for it nor who said it first.',
    '须由另一人确认,申请人和首个提出人都不能确认。',
  ),
  refund_still_processing: entry(
    409,
    'later',
    'WeChat Pay is still working on this refund, so nothing else may be done about it.',
    '微信支付仍在处理该退款,暂不能作其他处理。',
  ),
  refund_not_proved: entry(
    409,
    'later',
    'WeChat Pay does not know this refund, which proves nothing until 24 hours after it was sent.',
    '微信支付查无此退款,须在最后一次提交24小时后才能确认未受理。',
  ),
  refund_still_owed: entry(
    409,
    'never',
    'The money came back to the merchant, so the buyer is still owed it.',
    '款项已退回商户,仍应退还买家,请重试或按线下退款处理。',
  ),
  case_cause_lasts: entry(
    409,
    'later',
    'What this case is about still stands; settle that, and the case is resolved by itself.',
    '该异常单的原因仍存在,请先处理该原因,处理后异常单将自动关闭。',
  ),
  case_resolved: entry(
    409,
    'never',
    'The case was resolved before, by somebody else or by itself.',
    '该异常单已由他人处理或已自动关闭。',
  ),
  channel_silent: entry(
    503,
    'later',
    'WeChat Pay did not say where the money is; nothing was changed.',
    '微信支付未答复资金去向,未作任何更改。',
  ),
  account_unusable: entry(
    409,
    'never',
    'The merchant has no channel account or credentials for this.',
    '商户没有可用的渠道账号或凭证。',
  ),
  webhook_endpoint_disabled: entry(
    409,
    'never',
    'The webhook endpoint is switched off or deleted.',
    '该回调地址已停用或已删除。',
  ),
  too_many_webhook_endpoints: entry(
    409,
    'never',
    'The merchant has as many webhook endpoints as one may have.',
    '回调地址数量已达上限。',
  ),
  payment_failed: entry(
    422,
    'never',
    'WeChat Pay refused to place the order.',
    '微信支付拒绝了下单请求。',
  ),
  credential_conflict: entry(
    409,
    'now',
    'Another version of this secret was added at the same time.',
    '该凭证刚被他人更新,请重试。',
  ),
  too_many_streams: entry(
    409,
    'later',
    'This merchant has as many open event streams as it may.',
    '该商户打开的事件流数量已达上限。',
  ),
  certificate_refused: entry(
    422,
    'never',
    'The certificate is not one this account can show; `result` says why.',
    '该证书不能用于此账号,原因见 result。',
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

/**
 * How a V2 call is refused. WeChat Pay has two levels: `protocol` is `return_code=FAIL`, which is
 * never signed, `business` is a signed `result_code=FAIL`.
 */
export class RefusedError extends Error {
  override readonly name = 'RefusedError'
  readonly level: 'protocol' | 'business'
  readonly code: string

  constructor(level: 'protocol' | 'business', code: string, text: string) {
    super(text)
    this.level = level
    this.code = code
  }
}

/** What a request that is not one is told, by code. */
export const PROTOCOL_TEXTS = {
  REQUIRE_POST_METHOD: '请使用post方法',
  POST_DATA_EMPTY: 'post数据为空',
  NOT_UTF8: '编码格式错误,请使用UTF-8',
  XML_FORMAT_ERROR: 'XML格式错误',
  MCHID_NOT_EXIST: '商户号不存在',
  APPID_NOT_EXIST: 'appid不存在',
  APPID_MCHID_NOT_MATCH: 'appid和mch_id不匹配',
  SIGNERROR: '签名错误',
  CERT_ERROR: '证书校验错误',
} as const

/** What an authentic request that cannot be carried out is told, by code. */
export const BUSINESS_TEXTS = {
  SYSTEMERROR: '系统错误,请使用相同参数再次调用',
  ORDERPAID: '该订单已支付',
  ORDERCLOSED: '订单已关闭',
  ORDERNOTEXIST: '订单不存在',
  OUT_TRADE_NO_USED: '商户订单号重复,且与之前的参数不一致',
  NOTENOUGH: '余额不足',
  INVALID_TRANSACTIONID: '无效的transaction_id',
  REFUNDNOTEXIST: '退款订单不存在',
  REFUND_FEE_MISMATCH: '订单金额或退款金额与之前请求不一致,请核实后再试',
  TRADE_OVERDUE: '订单已经超过退款期限',
  FREQUENCY_LIMITED: '频率限制,请稍后再试',
  INVALID_REQ_TOO_MUCH: '无效请求过多,请一分钟后再试',
} as const

/** Texts of the codes that only a fault brings about. */
const FAULT_TEXTS: Readonly<Record<string, string>> = {
  BIZERR_NEED_RETRY: '退款业务流程错误,请使用原单号重试',
  ERROR: '业务错误',
  INVALID_REQUEST: '无效请求',
  LACK_PARAMS: '缺少参数',
  NOAUTH: '商户无此接口权限',
  PARAM_ERROR: '参数错误',
  TRADE_STATE_ERROR: '订单状态错误',
  USER_ACCOUNT_ABNORMAL: '用户账号异常或已注销',
}

/** The refusal of a request that is not what the protocol asks for. */
export function refuseProtocol(code: keyof typeof PROTOCOL_TEXTS): RefusedError {
  return new RefusedError('protocol', code, PROTOCOL_TEXTS[code])
}

/** The refusal of an authentic request because of what the book says. */
export function refuseBusiness(code: keyof typeof BUSINESS_TEXTS): RefusedError {
  return new RefusedError('business', code, BUSINESS_TEXTS[code])
}

/** The refusal that a fault asked for: signed, with any code, also one that nobody knows. */
export function refuseByFault(code: string): RefusedError {
  const texts: Readonly<Record<string, string>> = {
    ...FAULT_TEXTS,
    ...PROTOCOL_TEXTS,
    ...BUSINESS_TEXTS,
  }
  const text = Object.hasOwn(texts, code) ? texts[code] : undefined
  return new RefusedError('business', code, text ?? '未知错误')
}

export function refuseMissing(field: string): RefusedError {
  return new RefusedError('protocol', 'LACK_PARAMS', `缺少参数${field}`)
}

export function refuseParameter(field: string, reason = '格式错误'): RefusedError {
  return new RefusedError('protocol', 'PARAM_ERROR', `参数错误:${field}${reason}`)
}

/** A business refusal whose code needs a text of its own. */
export function refuseWith(
  code: 'ERROR' | 'INVALID_REQUEST' | 'PARAM_ERROR',
  text: string,
): RefusedError {
  return new RefusedError('business', code, text)
}

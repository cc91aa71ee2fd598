import { setTimeout as sleep } from 'node:timers/promises'
import { closeorder } from './call-closeorder.js'
import type { V2CallName } from './call-names.js'
import { orderquery } from './call-orderquery.js'
import { refund } from './call-refund.js'
import { refundquery } from './call-refundquery.js'
import { unifiedorder } from './call-unifiedorder.js'
import type { Fault, FaultTarget } from './faults.js'
import { COMMON_RULES, checkFields } from './fields.js'
import { randomText } from './ids.js'
import type { Merchant } from './records.js'
import { RefusedError, refuseBusiness, refuseProtocol } from './refusal.js'
import type { Fields, SignType } from './sign.js'
import { isSigned, signFields } from './sign.js'
import type { V2Handler } from './v2-call.js'
import type { World } from './world.js'
import { readFlatXml, writeFlatXml } from './xml.js'

/** One request as the server received it. */
export interface V2Request {
  readonly call: V2CallName
  readonly method: string
  readonly body: Buffer
  /** Serial number of a certificate of our authority that the connection showed. */
  readonly clientCertSerial: string | null
}

/** What the server is to do: write a document, or say nothing and break the connection. */
export type V2Reply =
  | {
      readonly kind: 'document'
      readonly status: number
      readonly type: string
      readonly text: string
    }
  | { readonly kind: 'silence'; readonly ms: number }

interface Route {
  readonly handle: V2Handler
  readonly needsCertificate: boolean
}

const ROUTES: Readonly<Record<V2CallName, Route>> = {
  unifiedorder: { handle: unifiedorder, needsCertificate: false },
  orderquery: { handle: orderquery, needsCertificate: false },
  closeorder: { handle: closeorder, needsCertificate: false },
  refund: { handle: refund, needsCertificate: true },
  refundquery: { handle: refundquery, needsCertificate: false },
}

const SILENCE_MS = 30_000
const SLOW_MS = 3_000
const ERROR_PAGE =
  '<html><head><title>502 Bad Gateway</title></head>' +
  '<body><center><h1>502 Bad Gateway</h1></center><hr></body></html>'

/** Whose answer it is and how it is signed, once that is known. */
interface Caller {
  readonly merchant: Merchant
  readonly signType: SignType
}

/** Answers one V2 call; whatever is wrong with it becomes an answer, never an exception. */
export async function answerV2(request: V2Request, world: World): Promise<V2Reply> {
  let fields: Fields = {}
  let caller: Caller | undefined
  const log = (answered: string) => logCall(request, fields, answered, world)
  try {
    fields = readRequest(request)
    caller = authenticate(request, fields, world)
    const fault = world.faults.take(targetOf(request, fields, world))
    const early = await strikeBefore(fault)
    if (early) {
      log(fault?.fault ?? '')
      return early
    }
    const call = { ...caller, fields, fault, clientCertSerial: request.clientCertSerial ?? '' }
    const result = ROUTES[request.call].handle(call, world)
    const isLost = fault?.fault === 'timeout_after'
    log(isLost ? 'timeout_after' : 'SUCCESS')
    return isLost ? silence(fault) : signed(caller, { result_code: 'SUCCESS', ...result })
  } catch (error) {
    if (!(error instanceof RefusedError)) world.reportError(error)
    const refused = error instanceof RefusedError ? error : refuseBusiness('SYSTEMERROR')
    log(refused.code)
    return refusal(refused, caller)
  }
}

function readRequest(request: V2Request): Fields {
  if (request.method !== 'POST') throw refuseProtocol('REQUIRE_POST_METHOD')
  if (request.body.length === 0) throw refuseProtocol('POST_DATA_EMPTY')
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(request.body)
  } catch {
    throw refuseProtocol('NOT_UTF8')
  }
  try {
    return withoutPrototype(readFlatXml(text))
  } catch {
    throw refuseProtocol('XML_FORMAT_ERROR')
  }
}

/** Names come from outside, so that the object must have none of its own. */
function withoutPrototype(values: ReadonlyMap<string, string>): Fields {
  const fields = Object.create(null) as Record<string, string>
  for (const [name, value] of values) fields[name] = value
  return fields
}

function authenticate(request: V2Request, fields: Fields, world: World): Caller {
  const { needsCertificate } = ROUTES[request.call]
  if (needsCertificate && request.clientCertSerial === null) throw refuseProtocol('CERT_ERROR')
  checkFields(fields, COMMON_RULES)
  const merchant = world.book.merchants.get(fields['mch_id'] ?? '')
  if (!merchant) throw refuseProtocol('MCHID_NOT_EXIST')
  if (needsCertificate && request.clientCertSerial !== merchant.serialNo) {
    throw refuseProtocol('CERT_ERROR')
  }
  const signType = fields['sign_type'] === 'HMAC-SHA256' ? 'HMAC-SHA256' : 'MD5'
  if (!isSigned(fields, merchant.apiV2Key, signType)) throw refuseProtocol('SIGNERROR')
  if (fields['appid'] !== merchant.appId) throw refuseAppId(fields['appid'] ?? '', world)
  return { merchant, signType }
}

function refuseAppId(appId: string, world: World): RefusedError {
  const isKnown = [...world.book.merchants.values()].some((other) => other.appId === appId)
  return refuseProtocol(isKnown ? 'APPID_MCHID_NOT_MATCH' : 'APPID_NOT_EXIST')
}

function targetOf(request: V2Request, fields: Fields, world: World): FaultTarget {
  const mchId = fields['mch_id'] ?? ''
  const refundNo = fields['out_refund_no'] || null
  const transactionId = fields['transaction_id'] ?? ''
  const outTradeNo =
    fields['out_trade_no'] ||
    world.book.orderByTransactionId(mchId, transactionId)?.outTradeNo ||
    world.book.refund(mchId, refundNo ?? '')?.outTradeNo
  return { call: request.call, outTradeNo: outTradeNo ?? null, outRefundNo: refundNo }
}

/** A fault that strikes before anything has happened: an answer instead, an error, or a wait. */
async function strikeBefore(fault: Fault | undefined): Promise<V2Reply | undefined> {
  switch (fault?.fault) {
    case 'timeout_before':
      return silence(fault)
    case 'html':
      return { kind: 'document', status: 502, type: 'text/html; charset=utf-8', text: ERROR_PAGE }
    case 'systemerror':
      throw refuseBusiness('SYSTEMERROR')
    case 'not_enough':
      throw refuseBusiness('NOTENOUGH')
    case 'slow':
      await sleep(fault.ms ?? SLOW_MS, undefined, { ref: false })
      return undefined
    default:
      return undefined
  }
}

function silence(fault: Fault): V2Reply {
  return { kind: 'silence', ms: fault.ms ?? SILENCE_MS }
}

function refusal(refused: RefusedError, caller: Caller | undefined): V2Reply {
  const error = { err_code: refused.code, err_code_des: refused.message }
  if (refused.level === 'business' && caller) {
    return signed(caller, { result_code: 'FAIL', ...error })
  }
  const head = { return_code: 'FAIL', return_msg: refused.message, result_code: 'FAIL' }
  return xmlReply({ ...head, ...error })
}

function signed(caller: Caller, result: Fields): V2Reply {
  const { merchant, signType } = caller
  const answer = {
    return_code: 'SUCCESS',
    return_msg: 'OK',
    appid: merchant.appId,
    mch_id: merchant.mchId,
    nonce_str: randomText(16),
    ...result,
  }
  return xmlReply({ ...answer, sign: signFields(answer, merchant.apiV2Key, signType) })
}

function xmlReply(fields: Fields): V2Reply {
  const text = writeFlatXml(fields)
  return { kind: 'document', status: 200, type: 'text/xml; charset=utf-8', text }
}

function logCall(request: V2Request, fields: Fields, answered: string, world: World): void {
  const target = targetOf(request, fields, world)
  world.book.addCall({
    atMs: world.clock.nowMs(),
    call: request.call,
    mchId: fields['mch_id'] || null,
    outTradeNo: target.outTradeNo,
    outRefundNo: target.outRefundNo,
    clientCertSerial: request.clientCertSerial,
    answered,
  })
}

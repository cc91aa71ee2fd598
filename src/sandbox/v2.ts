import { closeorder } from './call-closeorder.js'
import type { V2CallName } from './call-names.js'
import { orderquery } from './call-orderquery.js'
import { refund } from './call-refund.js'
import { refundquery } from './call-refundquery.js'
import { unifiedorder } from './call-unifiedorder.js'
import type { Fault, FaultTarget } from './faults.js'
import { COMMON_RULES, checkFields } from './fields.js'
import { RefusedError, refuseBusiness, refuseProtocol } from './refusal.js'
import type { Fields } from './sign.js'
import { isSigned } from './sign.js'
import { isSpoiling, strikeAfter, strikeBefore } from './strike.js'
import type { V2Call, V2Handler } from './v2-call.js'
import type { Caller, V2Reply } from './v2-reply.js'
import { refusalReply, signedReply } from './v2-reply.js'
import type { World } from './world.js'
import { readFlatXml } from './xml.js'

/** One request as the server received it. */
export interface V2Request {
  readonly call: V2CallName
  readonly method: string
  readonly body: Buffer
  /** Serial number of a certificate of our authority that the connection showed. */
  readonly clientCertSerial: string | null
}

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

/** Answers one V2 call; whatever is wrong with it becomes an answer, never an exception. */
export async function answerV2(request: V2Request, world: World): Promise<V2Reply> {
  let fields: Fields = {}
  let caller: Caller | undefined
  let fault: Fault | undefined
  const log = (answered: string) => logCall(request, fields, answered, world)
  try {
    fields = readRequest(request)
    caller = authenticate(request, fields, world)
    world.sentinels.read(request.call, fields)
    fault = world.faults.take(targetOf(request, fields, world))
    const early = await strikeBefore(fault)
    if (early) {
      log(fault?.fault ?? '')
      return early
    }
    const call = { ...caller, fields, fault, clientCertSerial: request.clientCertSerial ?? '' }
    const result = carryOut(request.call, call, world)
    log(isSpoiling(fault) ? fault.fault : 'SUCCESS')
    return strikeAfter(fault, signedReply(caller, { result_code: 'SUCCESS', ...result }))
  } catch (error) {
    if (!(error instanceof RefusedError)) world.reportError(error)
    const refused = error instanceof RefusedError ? error : refuseBusiness('SYSTEMERROR')
    log(refused.code)
    return strikeAfter(fault, refusalReply(refused, caller))
  }
}

/** A strict sandbox also counts how often a merchant calls, and how often in vain. */
function carryOut(name: V2CallName, call: V2Call, world: World): Fields {
  if (!world.isStrict) return ROUTES[name].handle(call, world)
  const { mchId } = call.merchant
  world.rates.checkCall(name, mchId, world.clock.nowMs())
  try {
    return ROUTES[name].handle(call, world)
  } catch (error) {
    const isInvalid =
      error instanceof RefusedError && !NOT_INVALID.some((code) => code === error.code)
    if (isInvalid && name === 'refund') world.rates.noteInvalidRefund(mchId, world.clock.nowMs())
    throw error
  }
}

/** Refusals that say nothing against the request itself. */
const NOT_INVALID = ['FREQUENCY_LIMITED', 'NOTENOUGH'] as const

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

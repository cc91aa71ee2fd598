import type { Exchange } from '../client.js'
import { meaningOf } from '../errors.js'
import type { OutcomeOfCall, V2Call } from '../errors.js'
import type { V2Merchant } from './request.js'
import { verifyFields } from './sign.js'
import type { Fields } from './sign.js'
import { readXml, XmlError } from './xml.js'

/** An answer may list fifty refunds with their coupons, so it may be larger than a notification. */
export const ANSWER_BYTES_MAX = 256 * 1024

const MESSAGE_LENGTH_MAX = 256

/** A result that carries the channel's code, or ours for what is not an answer. */
export interface CodedResult<Kind extends string> {
  readonly kind: Kind
  readonly code: string
  readonly message: string
}

/** Nothing can be concluded: the call may or may not have had its effect. */
export interface UnknownResult extends CodedResult<'unknown'> {
  readonly retry: 'soon' | 'later'
}

/** A business error of a call, by its meaning in the table of error codes. */
export type FailedResult<Call extends V2Call> =
  | UnknownResult
  | { [Outcome in Exclude<OutcomeOfCall[Call], 'unknown'>]: CodedResult<Outcome> }[Exclude<
      OutcomeOfCall[Call],
      'unknown'
    >]

/** A signed answer with both codes SUCCESS, before the call's own fields are read. */
export interface GoodAnswer {
  readonly kind: 'good'
  readonly fields: Fields
}

/** Makes the outcome for what is not a usable answer. */
export function unknownResult(
  code: string,
  message: string,
  retry: UnknownResult['retry'] = 'later',
): UnknownResult {
  return { kind: 'unknown', code, message: cut(message), retry }
}

/** An answer that is signed but lacks what this call must answer. */
export function incompleteAnswer(field: string): UnknownResult {
  return unknownResult('incomplete_answer', `The answer has no usable ${field}.`)
}

/** An answer that is signed but speaks of another order, refund or amount than was asked for. */
export function foreignAnswer(field: string): UnknownResult {
  return unknownResult('foreign_answer', `The answer is about another ${field}.`)
}

/**
 * Takes an exchange through the levels of V2: transport, XML, `return_code`, signature, merchant
 * and appid, `result_code`. Only a signed answer is believed; what the first level says
 * (`return_code` FAIL) is not signed, so it never proves that nothing happened.
 */
export function readAnswer<Call extends V2Call>(
  call: Call,
  exchange: Exchange,
  asked: { readonly merchant: V2Merchant; readonly appId: string },
): GoodAnswer | FailedResult<Call> {
  if (exchange.kind === 'failure') return unknownResult(exchange.code, exchange.message, 'soon')
  if (exchange.status !== 200) return unexpectedStatus(exchange.status)
  const fields = fieldsOf(exchange.body)
  if (fields === undefined) return unknownResult('not_xml', 'The answer is not a V2 document.')
  const doubt = doubtAbout(fields, asked)
  if (doubt !== undefined) return doubt
  if (fields.get('result_code') === 'SUCCESS') return { kind: 'good', fields }
  return businessError(call, fields)
}

function unexpectedStatus(status: number): UnknownResult {
  const retry = status >= 500 ? 'soon' : 'later'
  return unknownResult(`http_${status}`, `The channel answered with status ${status}.`, retry)
}

function fieldsOf(body: Uint8Array): Fields | undefined {
  try {
    return readXml(body, { bytesMax: ANSWER_BYTES_MAX, roots: ['xml'] })
  } catch (error) {
    if (error instanceof XmlError) return undefined
    throw error
  }
}

function doubtAbout(
  fields: Fields,
  asked: { readonly merchant: V2Merchant; readonly appId: string },
): UnknownResult | undefined {
  if (fields.get('return_code') !== 'SUCCESS') {
    return unknownResult('return_code_fail', fields.get('return_msg') ?? '')
  }
  if (!verifyFields(fields, asked.merchant.apiKey)) {
    return unknownResult('bad_signature', 'The answer is not signed with the API key.')
  }
  if ((fields.get('mch_id') ?? asked.merchant.mchId) !== asked.merchant.mchId) {
    return foreignAnswer('merchant')
  }
  if ((fields.get('appid') ?? asked.appId) !== asked.appId) return foreignAnswer('appid')
  return undefined
}

function businessError<Call extends V2Call>(call: Call, fields: Fields): FailedResult<Call> {
  const code = fields.get('err_code') ?? ''
  const message = fields.get('err_code_des') ?? ''
  // `result_code` FAIL without a code is as silent about the effect as no answer at all.
  if (fields.get('result_code') !== 'FAIL' || code === '') return incompleteAnswer('result_code')
  const { outcome, advice } = meaningOf(call, code)
  if (outcome === 'unknown') {
    return unknownResult(cut(code), message, advice === 'again_now' ? 'soon' : 'later')
  }
  return { kind: outcome, code: cut(code), message: cut(message) } as FailedResult<Call>
}

function cut(text: string): string {
  return Array.from(text).slice(0, MESSAGE_LENGTH_MAX).join('')
}

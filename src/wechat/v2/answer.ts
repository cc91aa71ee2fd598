import type { Exchange, TransportFailure } from '../client.js'
import { holdOfProtocolFailure, holdOfTlsFailure, meaningOf, NO_ANSWERS } from './error-codes.js'
import type { CodeMeaning, NoAnswerCode, OutcomeOfCall, V2Call } from './error-codes.js'
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
  /** When the answer is about the account rather than about one order or refund. */
  readonly hold?: NonNullable<CodeMeaning['hold']>
}

/** The channel will not do it: not before a person has changed something, or never. */
export interface RefusedResult extends CodedResult<'refused'> {
  readonly retry: 'after_change' | 'never'
}

/** Nothing can be concluded: the call may or may not have had its effect. */
export interface UnknownResult extends CodedResult<'unknown'> {
  readonly retry: 'soon' | 'later'
}

type OtherOutcome<Call extends V2Call> = Exclude<OutcomeOfCall[Call], 'unknown' | 'refused'>

/** A business error of a call, by its meaning in the table of error codes. */
export type FailedResult<Call extends V2Call> =
  | UnknownResult
  | RefusedResult
  | { [Outcome in OtherOutcome<Call>]: CodedResult<Outcome> }[OtherOutcome<Call>]

/** A signed answer with both codes SUCCESS, before the call's own fields are read. */
export interface GoodAnswer {
  readonly kind: 'good'
  readonly fields: Fields
}

/** Makes the outcome for what is no usable answer. */
export function noAnswer(code: NoAnswerCode, message: string): UnknownResult {
  return doubtful(NO_ANSWERS[code], { code, message: cut(message) })
}

/** A state that the documentation does not name, or that it calls undecided. */
export function undecidedState(state: string, message: string): UnknownResult {
  return doubtful({ retry: 'later' }, { code: cut(state), message })
}

/** An answer that is signed but lacks what this call must answer. */
export function incompleteAnswer(field: string): UnknownResult {
  return noAnswer('incomplete_answer', `The answer has no usable ${field}.`)
}

/** An answer that is signed but speaks of another order or refund than was asked for. */
export function foreignAnswer(field: string): UnknownResult {
  return noAnswer('foreign_answer', `The answer is about another ${field}.`)
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
  if (exchange.kind === 'failure') return transportFailure(exchange)
  if (exchange.status !== 200) return unexpectedStatus(exchange.status)
  const fields = fieldsOf(exchange.body)
  if (fields === undefined) return noAnswer('not_xml', 'The answer is not a V2 document.')
  const doubt = doubtAbout(fields, asked)
  if (doubt !== undefined) return doubt
  if (fields.get('result_code') === 'SUCCESS') return { kind: 'good', fields }
  return businessError(call, fields)
}

function transportFailure({ code, message }: TransportFailure): UnknownResult {
  const hold = code === 'tls_error' ? holdOfTlsFailure(message) : undefined
  return { ...noAnswer(code, message), ...(hold && { hold }) }
}

function unexpectedStatus(status: number): UnknownResult {
  const message = `The channel answered with status ${status}.`
  const meaning = NO_ANSWERS[status >= 500 ? 'http_5nn' : 'http_nnn']
  return doubtful(meaning, { code: `http_${status}`, message })
}

function doubtful(
  { retry, hold }: Pick<UnknownResult, 'retry' | 'hold'>,
  reason: Pick<UnknownResult, 'code' | 'message'>,
): UnknownResult {
  return { kind: 'unknown', ...reason, retry, ...(hold && { hold }) }
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
    const message = fields.get('return_msg') ?? ''
    const hold = holdOfProtocolFailure(message)
    return { ...noAnswer('return_code_fail', message), ...(hold && { hold }) }
  }
  if (!verifyFields(fields, asked.merchant.apiKey)) {
    return noAnswer('bad_signature', 'The answer is not signed with the API key.')
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
  return resultOf<Call>(meaningOf(call, code), { code: cut(code), message: cut(message) })
}

/** The only way from a code's meaning to what the caller is told. */
function resultOf<Call extends V2Call>(
  { outcome, advice, hold }: CodeMeaning,
  reason: Pick<UnknownResult, 'code' | 'message'>,
): FailedResult<Call> {
  const withHold = hold && { hold }
  if (outcome === 'unknown') {
    return doubtful({ retry: advice === 'again_now' ? 'soon' : 'later', ...withHold }, reason)
  }
  if (outcome === 'refused') {
    const retry = advice === 'final' ? 'never' : 'after_change'
    return { kind: outcome, ...reason, retry, ...withHold }
  }
  return { kind: outcome, ...reason, ...withHold } as FailedResult<Call>
}

function cut(text: string): string {
  return Array.from(text).slice(0, MESSAGE_LENGTH_MAX).join('')
}

import { CALL_NAMES } from './call-names.js'
import type { Fault } from './faults.js'
import { FAULT_KINDS, FAULTS_OF_CALL } from './faults.js'
import type { PayResult } from './pay.js'

/** A control call that cannot be carried out; it becomes a JSON error. */
export class ControlError extends Error {
  override readonly name = 'ControlError'
  readonly status: number
  readonly code: string

  constructor(status: number, code: string, message: string) {
    super(message)
    this.status = status
    this.code = code
  }
}

type Members = Readonly<Record<string, unknown>>

const WAIT_MAX_MS = 10 * 60 * 1000
/** Two years, which reaches past the last day of a refund. */
const ADVANCE_MAX_MS = 2 * 365 * 24 * 60 * 60 * 1000
const RATE_MAX = 100_000

export interface PayBody {
  readonly mchId: string
  readonly outTradeNo: string
  readonly result: PayResult
  readonly late: boolean
}

export function readPayBody(body: unknown): PayBody {
  const given = members(body, ['mchId', 'outTradeNo', 'result', 'late'], 'the body')
  return {
    mchId: text(given, 'mchId'),
    outTradeNo: text(given, 'outTradeNo'),
    result: oneOf(given['result'] ?? 'SUCCESS', ['SUCCESS', 'PAYERROR'] as const, 'result'),
    late: given['late'] === true,
  }
}

export function readFaultsBody(body: unknown): Fault[] {
  if (!Array.isArray(body)) throw bad('the body must be a list of faults')
  return body.map((item) => readFault(item))
}

function readFault(item: unknown): Fault {
  const given = members(item, ['match', 'fault', 'ms', 'times'], 'a fault')
  const match = members(given['match'], ['call', 'outTradeNo', 'outRefundNo'], 'match')
  const call = oneOf(match['call'], CALL_NAMES, 'match.call')
  const fault = oneOf(given['fault'], FAULT_KINDS, 'fault')
  if (!FAULTS_OF_CALL[call].includes(fault)) {
    throw bad(`${fault} cannot be armed for ${call}, only ${FAULTS_OF_CALL[call].join(', ')}`)
  }
  return {
    match: { call, ...optionalText(match, 'outTradeNo'), ...optionalText(match, 'outRefundNo') },
    fault,
    ...(given['ms'] === undefined
      ? {}
      : { ms: number(given, 'ms', 0, fault === 'late' ? ADVANCE_MAX_MS : WAIT_MAX_MS) }),
    times: readTimes(given['times']),
  }
}

function readTimes(times: unknown): number {
  if (times === undefined) return 1
  const isValid = Number.isSafeInteger(times) && (times === -1 || Number(times) > 0)
  if (!isValid) throw bad('times must be a whole number above 0, or -1 for always')
  return Number(times)
}

export type ClockBody = { readonly rate: number } | { readonly advanceMs: number }

export function readClockBody(body: unknown): ClockBody {
  const given = members(body, ['rate', 'advanceMs'], 'the body')
  if (Object.keys(given).length !== 1) throw bad('give either rate or advanceMs')
  return given['rate'] === undefined
    ? { advanceMs: number(given, 'advanceMs', 0, ADVANCE_MAX_MS) }
    : { rate: readRate(given['rate']) }
}

/** @throws ControlError unless the rate is a number above 0 and at most 100,000 */
export function readRate(rate: unknown): number {
  const isValid = typeof rate === 'number' && rate > 0 && rate <= RATE_MAX
  if (!isValid) throw bad(`rate must be a number above 0 and at most ${RATE_MAX}`)
  return rate
}

export interface MerchantBody {
  readonly mchId?: string
  readonly appId?: string
}

export function readMerchantBody(body: unknown): MerchantBody {
  const given = members(body ?? {}, ['mchId', 'appId'], 'the body')
  const ids = { ...optionalText(given, 'mchId'), ...optionalText(given, 'appId') }
  for (const [name, value] of Object.entries(ids)) {
    if (!/^[0-9A-Za-z]{1,32}$/.test(value)) throw bad(`${name} must be 1 to 32 letters and digits`)
  }
  return ids
}

export interface BalanceBody {
  readonly mchId: string
  readonly balanceFen: number
}

export function readBalanceBody(body: unknown): BalanceBody {
  const given = members(body, ['mchId', 'balanceFen'], 'the body')
  return {
    mchId: text(given, 'mchId'),
    balanceFen: number(given, 'balanceFen', 0, Number.MAX_SAFE_INTEGER),
  }
}

function members(value: unknown, names: readonly string[], where: string): Members {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw bad(`${where} must be an object`)
  }
  const unknown = Object.keys(value).find((name) => !names.includes(name))
  if (unknown !== undefined) throw bad(`${where} has no member ${unknown}`)
  return value as Members
}

function text(given: Members, name: string): string {
  const value = given[name]
  if (typeof value !== 'string' || value === '') throw bad(`${name} must be a text`)
  return value
}

function optionalText<Name extends string>(given: Members, name: Name): { [Key in Name]?: string } {
  if (given[name] === undefined) return {}
  return { [name]: text(given, name) } as { [Key in Name]?: string }
}

function number(given: Members, name: string, min: number, max: number): number {
  const value = given[name]
  const isValid = Number.isSafeInteger(value) && Number(value) >= min && Number(value) <= max
  if (!isValid) throw bad(`${name} must be a whole number from ${min} to ${max}`)
  return Number(value)
}

function oneOf<Value extends string>(
  value: unknown,
  allowed: readonly Value[],
  name: string,
): Value {
  const found = allowed.find((one) => one === value)
  if (found === undefined) throw bad(`${name} must be one of ${allowed.join(', ')}`)
  return found
}

function bad(message: string): ControlError {
  return new ControlError(400, 'bad_request', message)
}

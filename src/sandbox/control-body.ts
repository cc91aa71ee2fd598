import { CALL_NAMES } from './call-names.js'
import type { Fault, FaultKind } from './faults.js'
import { FAULT_KINDS, FAULTS_OF_CALL } from './faults.js'
import type { PayResult } from './pay.js'
import type { Coupon } from './records.js'
import { COUPON_TYPES } from './records.js'

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
/** The largest amount of an order that has ten digits. */
const FEN_MAX = 9_999_999_999
const COUPONS_MAX = 20

export interface PayBody {
  readonly mchId: string
  readonly outTradeNo: string
  readonly result: PayResult
  readonly late: boolean
  readonly coupons: readonly Coupon[]
}

export function readPayBody(body: unknown): PayBody {
  const given = members(body, ['mchId', 'outTradeNo', 'result', 'late', 'coupons'], 'the body')
  return {
    mchId: text(given, 'mchId'),
    outTradeNo: text(given, 'outTradeNo'),
    result: oneOf(given['result'] ?? 'SUCCESS', ['SUCCESS', 'PAYERROR'] as const, 'result'),
    late: given['late'] === true,
    coupons: readCoupons(given['coupons'] ?? []),
  }
}

function readCoupons(given: unknown): Coupon[] {
  if (!Array.isArray(given)) throw bad('coupons must be a list')
  if (given.length > COUPONS_MAX) throw bad(`there are at most ${COUPONS_MAX} coupons`)
  const coupons = given.map((item) => readCoupon(item))
  const ids = new Set(coupons.map(({ id }) => id))
  if (ids.size < coupons.length) throw bad('each coupon must have another id')
  return coupons
}

function readCoupon(item: unknown): Coupon {
  const given = members(item, ['id', 'type', 'feeFen'], 'a coupon')
  const id = text(given, 'id')
  if (!/^[0-9A-Za-z_-]{1,20}$/.test(id)) throw bad('id must be 1 to 20 letters, digits, _ and -')
  return {
    id,
    type: oneOf(given['type'] ?? 'CASH', COUPON_TYPES, 'type'),
    fee: number(given, 'feeFen', 1, FEN_MAX),
  }
}

export interface RefundBody {
  readonly mchId: string
  readonly outTradeNo: string
  readonly amountFen: number
  readonly notifyUrl?: string
}

export function readRefundBody(body: unknown): RefundBody {
  const given = members(body, ['mchId', 'outTradeNo', 'amountFen', 'notifyUrl'], 'the body')
  const notifyUrl = optionalText(given, 'notifyUrl')
  if (notifyUrl.notifyUrl !== undefined && !isHttpUrl(notifyUrl.notifyUrl)) {
    throw bad('notifyUrl must be a web address')
  }
  return {
    mchId: text(given, 'mchId'),
    outTradeNo: text(given, 'outTradeNo'),
    amountFen: number(given, 'amountFen', 1, FEN_MAX),
    ...notifyUrl,
  }
}

export function isHttpUrl(value: string): boolean {
  return URL.canParse(value) && /^https?:$/.test(new URL(value).protocol)
}

export interface ResolveBody {
  readonly mchId: string
  readonly outRefundNo: string
  readonly result: 'SUCCESS' | 'REFUNDCLOSE'
}

export function readResolveBody(body: unknown): ResolveBody {
  const given = members(body, ['mchId', 'outRefundNo', 'result'], 'the body')
  return {
    mchId: text(given, 'mchId'),
    outRefundNo: text(given, 'outRefundNo'),
    result: oneOf(given['result'] ?? 'SUCCESS', ['SUCCESS', 'REFUNDCLOSE'] as const, 'result'),
  }
}

export interface CardBody {
  readonly mchId: string
  readonly outTradeNo: string
  readonly frozen: boolean
}

export function readCardBody(body: unknown): CardBody {
  const given = members(body, ['mchId', 'outTradeNo', 'frozen'], 'the body')
  const { frozen } = given
  if (typeof frozen !== 'boolean') throw bad('frozen must be true or false')
  return { mchId: text(given, 'mchId'), outTradeNo: text(given, 'outTradeNo'), frozen }
}

export function readFaultsBody(body: unknown): Fault[] {
  if (!Array.isArray(body)) throw bad('the body must be a list of faults')
  return body.map((item) => readFault(item))
}

/** Faults whose wait runs on the sandbox's clock, which can be advanced far. */
const ON_SANDBOX_CLOCK: ReadonlySet<FaultKind> = new Set(['late', 'reordered'])

function readFault(item: unknown): Fault {
  const given = members(item, ['match', 'fault', 'code', 'ms', 'times'], 'a fault')
  const match = members(given['match'], ['call', 'outTradeNo', 'outRefundNo'], 'match')
  const call = oneOf(match['call'], CALL_NAMES, 'match.call')
  const fault = oneOf(given['fault'], FAULT_KINDS, 'fault')
  if (!FAULTS_OF_CALL[call].includes(fault)) {
    throw bad(`${fault} cannot be armed for ${call}, only ${FAULTS_OF_CALL[call].join(', ')}`)
  }
  return {
    match: { call, ...optionalText(match, 'outTradeNo'), ...optionalText(match, 'outRefundNo') },
    fault,
    ...readCode(given['code'], fault),
    ...(given['ms'] === undefined
      ? {}
      : { ms: number(given, 'ms', 0, ON_SANDBOX_CLOCK.has(fault) ? ADVANCE_MAX_MS : WAIT_MAX_MS) }),
    times: readTimes(given['times']),
  }
}

/** An `err_code` has at most 32 characters; any of them can be asked for, known or not. */
const ERROR_CODE = /^[A-Z][0-9A-Z_]{0,31}$/

function readCode(code: unknown, fault: FaultKind): { code?: string } {
  if (fault !== 'error' && code === undefined) return {}
  if (fault !== 'error') throw bad(`${fault} has no code, only error has one`)
  const isValid = typeof code === 'string' && ERROR_CODE.test(code)
  if (!isValid) throw bad('code must be an error code, such as BIZERR_NEED_RETRY')
  return { code }
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
  /** Null is without a limit. */
  readonly balanceFen: number | null
}

export function readBalanceBody(body: unknown): BalanceBody {
  const given = members(body, ['mchId', 'balanceFen'], 'the body')
  return {
    mchId: text(given, 'mchId'),
    balanceFen:
      given['balanceFen'] === null ? null : number(given, 'balanceFen', 0, Number.MAX_SAFE_INTEGER),
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

import type { CallName } from './call-names.js'

export const FAULT_KINDS = [
  'lost',
  'late',
  'duplicate',
  'reordered',
  'forged',
  'probe',
  'timeout_before',
  'timeout_after',
  'systemerror',
  'html',
  'too_many',
  'slow',
  'not_enough',
  'change',
  'error',
  'return_fail',
  'cut',
  'bad_sign',
  'silent',
] as const
export type FaultKind = (typeof FAULT_KINDS)[number]

const NOTIFICATION_FAULTS = ['lost', 'late', 'duplicate', 'reordered', 'forged', 'probe'] as const
const CALL_FAULTS = [
  'timeout_before',
  'timeout_after',
  'systemerror',
  'html',
  'too_many',
  'slow',
  'error',
  'return_fail',
  'cut',
  'bad_sign',
  'silent',
] as const

/** Which faults can be armed for which call. */
export const FAULTS_OF_CALL: Readonly<Record<CallName, readonly FaultKind[]>> = {
  unifiedorder: [...CALL_FAULTS, 'not_enough'],
  orderquery: CALL_FAULTS,
  closeorder: CALL_FAULTS,
  refund: [...CALL_FAULTS, 'not_enough', 'change'],
  refundquery: CALL_FAULTS,
  notify_payment: NOTIFICATION_FAULTS,
  notify_refund: NOTIFICATION_FAULTS,
}

export interface FaultMatch {
  readonly call: CallName
  readonly outTradeNo?: string
  readonly outRefundNo?: string
}

export interface Fault {
  readonly match: FaultMatch
  readonly fault: FaultKind
  /** The `err_code` of the answer; `error` has one and no other fault does. */
  readonly code?: string
  /** Milliseconds of waiting, where the fault has some; each fault has its own default. */
  readonly ms?: number
  /** How often it still strikes; -1 is without end. */
  readonly times: number
}

/** What a call or a notification is about, as far as it says so. */
export interface FaultTarget {
  readonly call: CallName
  readonly outTradeNo: string | null
  readonly outRefundNo: string | null
}

/** The faults armed by the control API; the first that matches strikes. */
export class Faults {
  #armed: Fault[] = []

  arm(faults: readonly Fault[]): void {
    this.#armed.push(...faults)
  }

  clear(): void {
    this.#armed = []
  }

  armed(): readonly Fault[] {
    return this.#armed
  }

  /** The fault that strikes now; it counts as one of its times. */
  take(target: FaultTarget): Fault | undefined {
    const index = this.#armed.findIndex(({ match }) => isMatch(match, target))
    const fault = this.#armed[index]
    if (!fault) return undefined
    if (fault.times === 1) this.#armed.splice(index, 1)
    else if (fault.times > 1) this.#armed[index] = { ...fault, times: fault.times - 1 }
    return fault
  }
}

function isMatch(match: FaultMatch, target: FaultTarget): boolean {
  return (
    match.call === target.call &&
    (match.outTradeNo === undefined || match.outTradeNo === target.outTradeNo) &&
    (match.outRefundNo === undefined || match.outRefundNo === target.outRefundNo)
  )
}

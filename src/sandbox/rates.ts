import type { V2CallName } from './call-names.js'
import { refuseBusiness } from './refusal.js'

const SECOND_MS = 1_000
const MINUTE_MS = 60 * SECOND_MS

/** Calls of one merchant in a second, as WeChat Pay documents them; closing has no limit there. */
const CALLS_PER_SECOND_MAX: Readonly<Partial<Record<V2CallName, number>>> = {
  unifiedorder: 600,
  orderquery: 1_800,
  refund: 150,
  refundquery: 300,
}
/** Refunds of orders paid more than a month ago. */
const OLD_REFUNDS_PER_MINUTE_MAX = 5_000
/** Refund requests of one merchant that were refused for what they say. */
const INVALID_REFUNDS_PER_SECOND_MAX = 6
/** Who sends too many of those is not heard for this long. */
const BLOCKED_MS = MINUTE_MS

interface Window {
  readonly startMs: number
  readonly count: number
}

/** How often merchants call, counted in windows of the sandbox's clock. */
export class Rates {
  readonly #windows = new Map<string, Window>()
  readonly #blockedUntilMs = new Map<string, number>()

  /** @throws RefusedError with INVALID_REQ_TOO_MUCH or FREQUENCY_LIMITED */
  checkCall(call: V2CallName, mchId: string, nowMs: number): void {
    const isBlocked = call === 'refund' && nowMs < (this.#blockedUntilMs.get(mchId) ?? 0)
    if (isBlocked) throw refuseBusiness('INVALID_REQ_TOO_MUCH')
    const max = CALLS_PER_SECOND_MAX[call] ?? Infinity
    const count = this.#count(`${call}/${mchId}`, SECOND_MS, nowMs)
    if (count > max) throw refuseBusiness('FREQUENCY_LIMITED')
  }

  /** @throws RefusedError with FREQUENCY_LIMITED */
  checkOldRefund(mchId: string, nowMs: number): void {
    const count = this.#count(`old-refund/${mchId}`, MINUTE_MS, nowMs)
    if (count > OLD_REFUNDS_PER_MINUTE_MAX) throw refuseBusiness('FREQUENCY_LIMITED')
  }

  /** Counts a refund request that was refused for what it says. */
  noteInvalidRefund(mchId: string, nowMs: number): void {
    const count = this.#count(`invalid-refund/${mchId}`, SECOND_MS, nowMs)
    if (count >= INVALID_REFUNDS_PER_SECOND_MAX) {
      this.#blockedUntilMs.set(mchId, nowMs + BLOCKED_MS)
    }
  }

  #count(key: string, lengthMs: number, nowMs: number): number {
    const known = this.#windows.get(key)
    const isRunning = known !== undefined && nowMs < known.startMs + lengthMs
    const next = isRunning
      ? { startMs: known.startMs, count: known.count + 1 }
      : { startMs: nowMs, count: 1 }
    this.#windows.set(key, next)
    return next.count
  }
}

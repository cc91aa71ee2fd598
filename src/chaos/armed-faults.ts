import type { ArmedKind, ChannelCall } from './kinds.js'
import type { PlannedFault } from './plan.js'
import type { ArmedFault, LoggedCall, SandboxDesk, SentNotification } from './sandbox-desk.js'

const SECOND_MS = 1_000
const MINUTE_MS = 60 * SECOND_MS
/** On the channel's clock: later than the engine asks by itself. */
const LATE_MS = 10 * MINUTE_MS
/** How long one waits to be overtaken, at most. */
const REORDERED_MS = 20 * MINUTE_MS
/** Until a call without an answer breaks off; longer than the quick try, and ordinary time. */
const SILENCE_MS = 3 * SECOND_MS

/** How each kind is said to the sandbox, and what it then logs. */
const AT_SANDBOX: Readonly<
  Record<ArmedKind, Pick<ArmedFault, 'fault' | 'ms' | 'code' | 'times'> & { logged: string }>
> = {
  notification_lost: { fault: 'lost', times: -1, logged: 'lost' },
  notification_late: { fault: 'late', ms: LATE_MS, times: 1, logged: 'late' },
  notification_duplicated: { fault: 'duplicate', times: 1, logged: 'duplicate' },
  notification_reordered: {
    fault: 'reordered',
    ms: REORDERED_MS,
    times: 1,
    logged: 'reordered',
  },
  notification_forged: { fault: 'forged', times: 1, logged: 'forged' },
  notification_probing: { fault: 'probe', times: 1, logged: 'probe' },
  timeout_before_effect: {
    fault: 'timeout_before',
    ms: SILENCE_MS,
    times: 1,
    logged: 'timeout_before',
  },
  timeout_after_effect: {
    fault: 'timeout_after',
    ms: SILENCE_MS,
    times: 1,
    logged: 'timeout_after',
  },
  system_error: { fault: 'systemerror', times: 1, logged: 'SYSTEMERROR' },
  html_page: { fault: 'html', times: 1, logged: 'html' },
  too_many_requests: { fault: 'too_many', times: 1, logged: 'too_many' },
  rate_limited: {
    fault: 'error',
    code: 'FREQUENCY_LIMITED',
    times: 1,
    logged: 'FREQUENCY_LIMITED',
  },
  no_balance: { fault: 'not_enough', times: 1, logged: 'NOTENOUGH' },
  change: { fault: 'change', times: 1, logged: 'CHANGE' },
}

interface Armed {
  readonly kind: ArmedKind
  readonly call: ChannelCall
  readonly outTradeNo: string
  readonly outRefundNo: string | undefined
}

/** What the sandbox remembers of what happened. */
export interface Evidence {
  readonly calls: readonly LoggedCall[]
  readonly notifications: readonly SentNotification[]
}

/** The faults armed at the sandbox, which forgets them when it is killed. */
export class ArmedFaults {
  readonly #desk: Pick<SandboxDesk, 'arm' | 'calls' | 'notifications'>
  readonly #mchId: string
  readonly #armed: Armed[] = []
  /** Refunds that a person brought out of CHANGE: the proof that they were in it. */
  readonly resolved = new Set<string>()

  constructor(desk: Pick<SandboxDesk, 'arm' | 'calls' | 'notifications'>, mchId: string) {
    this.#desk = desk
    this.#mchId = mchId
  }

  async arm(
    faults: readonly PlannedFault[],
    about: { readonly outTradeNo: string; readonly outRefundNo?: string },
  ): Promise<void> {
    const { outTradeNo, outRefundNo } = about
    const armed = faults.map(({ kind, call }) => ({ kind, call, outTradeNo, outRefundNo }))
    await this.#desk.arm(armed.map(atSandbox))
    this.#armed.push(...armed)
  }

  /** Arms again what a killed sandbox has forgotten before it happened. */
  async armAgain(): Promise<void> {
    const evidence = await this.evidence()
    const open = this.#armed.filter(
      (armed) => armed.kind === 'notification_lost' || !this.#hasHappened(armed, evidence),
    )
    await this.#desk.arm(open.map(atSandbox))
  }

  async evidence(): Promise<Evidence> {
    const [calls, notifications] = await Promise.all([
      this.#desk.calls(this.#mchId),
      this.#desk.notifications(this.#mchId),
    ])
    return { calls, notifications }
  }

  /** How often each kind has happened, by the sandbox's own records. */
  countHappened(evidence: Evidence): Partial<Record<ArmedKind, number>> {
    const counts: Partial<Record<ArmedKind, number>> = {}
    for (const armed of this.#armed) {
      if (!this.#hasHappened(armed, evidence)) continue
      counts[armed.kind] = (counts[armed.kind] ?? 0) + 1
    }
    return counts
  }

  #hasHappened(armed: Armed, evidence: Evidence): boolean {
    const { kind, call, outTradeNo, outRefundNo } = armed
    if (kind === 'change') return this.resolved.has(outRefundNo ?? '')
    const { logged } = AT_SANDBOX[kind]
    const isAbout = (each: { outTradeNo: string | null; outRefundNo: string | null }): boolean =>
      outRefundNo === undefined ? each.outTradeNo === outTradeNo : each.outRefundNo === outRefundNo
    if (call !== 'notify_payment' && call !== 'notify_refund') {
      return evidence.calls.some(
        (each) => each.call === call && each.answered === logged && isAbout(each),
      )
    }
    return evidence.notifications.some(
      (each) =>
        `notify_${each.kind}` === call &&
        isAbout(each) &&
        each.tries.some(({ fault }) => fault === logged),
    )
  }
}

function atSandbox({ kind, call, outTradeNo, outRefundNo }: Armed): ArmedFault {
  const { logged: _logged, ...fault } = AT_SANDBOX[kind]
  const match = outRefundNo === undefined ? { call, outTradeNo } : { call, outRefundNo }
  return { match, ...fault }
}

import { benchNotifications } from '../notifications.js'
import { benchPayments } from '../payments.js'
import { atLeast, line, rate } from '../support/print.js'
import { startBenchStack } from '../support/stack.js'

const RATIO_LEAST = 0.8
const NOTIFICATION_P99_MS_MOST = 50

/** Payments through everything against a bare workflow, and how soon a notification is stored. */
export async function bench(): Promise<boolean> {
  const stack = await startBenchStack()
  try {
    const { ours, baseline, ratio, oursCount, baselineCount } = await benchPayments(stack)
    line('paid payment through HTTP', rate(ours))
    line('bare workflow, same dev server', rate(baseline))
    line('ratio, median of three', atLeast(ratio, RATIO_LEAST))
    line('events and actions, ours', `${oursCount.events} and ${oursCount.actions}`)
    line('events and actions, bare', `${baselineCount.events} and ${baselineCount.actions}`)
    const { p50Ms, p99Ms, maxMs, perSecond } = await benchNotifications(stack)
    const ms = (value: number): string => `${value.toFixed(1)} ms`
    const times = `p50 ${ms(p50Ms)}   p99 ${ms(p99Ms)}   max ${ms(maxMs)}`
    line(`notification at ${perSecond}/s`, times)
    return ratio >= RATIO_LEAST && p99Ms < NOTIFICATION_P99_MS_MOST
  } finally {
    await stack.stop()
  }
}

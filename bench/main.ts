import { arch, cpus, release } from 'node:os'

import { benchNotifications } from './notifications.js'
import { benchPayments } from './payments.js'
import type { Measured } from './support/loop.js'
import { startBenchStack } from './support/stack.js'

const RATIO_LEAST = 0.8
const NOTIFICATION_P99_MS_MOST = 50

const line = (name: string, value: string): void => {
  process.stdout.write(`${name.padEnd(34)}${value}\n`)
}
const rate = ({ perSecond, p50Ms, p99Ms, flows }: Measured): string =>
  `${perSecond.toFixed(1)}/s   p50 ${p50Ms.toFixed(0)} ms   p99 ${p99Ms.toFixed(0)} ms   (${flows})`

/** Prints every figure with what it is compared with; exits with 1 when a promise is not kept. */
const stack = await startBenchStack()
try {
  line('machine', `${cpus().length} cores, ${arch()}, ${release()}, node ${process.version}`)
  const payments = await benchPayments(stack)
  const { ours, baseline, ratio, oursCount, baselineCount } = payments
  line('paid payment through HTTP', rate(ours))
  line('bare workflow, same dev server', rate(baseline))
  line('ratio, median of three', `${ratio.toFixed(2)}   (at least ${RATIO_LEAST})`)
  line('events and actions, ours', `${oursCount.events} and ${oursCount.actions}`)
  line('events and actions, bare', `${baselineCount.events} and ${baselineCount.actions}`)
  const { p50Ms, p99Ms, maxMs, perSecond } = await benchNotifications(stack)
  line(
    `notification at ${perSecond}/s`,
    `p50 ${p50Ms.toFixed(1)} ms   p99 ${p99Ms.toFixed(1)} ms   max ${maxMs.toFixed(1)} ms`,
  )
  const kept = ratio >= RATIO_LEAST && p99Ms < NOTIFICATION_P99_MS_MOST
  line('verdict', kept ? 'kept' : 'not kept')
  process.exitCode = kept ? 0 : 1
} finally {
  await stack.stop()
}

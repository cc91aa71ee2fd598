import { HELD_MS, PER_SECOND, settleAlone, settleBesidePlacing } from '../placing.js'
import type { PlacingResult } from '../placing.js'
import { line } from '../support/print.js'
import { startBenchStack } from '../support/stack.js'

const P50_MS_MOST = 300

const times = ({ p50Ms, p99Ms, maxMs }: PlacingResult): string =>
  `p50 ${p50Ms.toFixed(0)} ms   p99 ${p99Ms.toFixed(0)} ms   max ${maxMs.toFixed(0)} ms`

/** Whether payments are settled in time while the channel is slow to place others. */
export async function bench(): Promise<boolean> {
  const stack = await startBenchStack()
  try {
    const alone = await settleAlone(stack)
    line(`settled, ${PER_SECOND}/s`, times(alone))
    const beside = await settleBesidePlacing(stack)
    line(`beside placing held ${HELD_MS / 1_000} s, ${PER_SECOND}/s`, times(beside))
    line('its p50', `${beside.p50Ms.toFixed(0)} ms   (under ${P50_MS_MOST} ms)`)
    return beside.p50Ms < P50_MS_MOST
  } finally {
    await stack.stop()
  }
}

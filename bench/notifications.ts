import { Agent } from 'undici'

import { runOpenLoop } from './support/loop.js'
import { createPayments, notifier, paidNotification } from './support/orders.js'
import type { BenchStack } from './support/stack.js'

export const PER_SECOND = 50
const COUNT = 1_000
const CREATE_AT_ONCE = 20

export interface NotificationsResult {
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
}

/** Signed payment notifications at a steady rate: from the request to the stored row's answer. */
export async function benchNotifications(stack: BenchStack): Promise<NotificationsResult> {
  const agent = new Agent({ connections: 32 })
  const orders = await createPayments(stack, agent, { count: COUNT, atOnce: CREATE_AT_ONCE })
  const notify = await notifier(stack, agent)
  const bodies = orders.map((order) => paidNotification(stack, order))
  const latency = await runOpenLoop({
    everyMs: 1_000 / PER_SECOND,
    count: COUNT,
    flow: (index) => notify(bodies[index] ?? ''),
  })
  await agent.close()
  return latency
}

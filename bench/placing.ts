import { Agent, request } from 'undici'

import { runOpenLoop } from './support/loop.js'
import { createPayment, createPayments, notifier, paidNotification } from './support/orders.js'
import type { BenchStack } from './support/stack.js'
import { watchPaid } from './support/watcher.js'

export const HELD_MS = 4_000
export const PER_SECOND = 10
const SETTLED = 200
const CREATE_AT_ONCE = 20
/** Placing is held for so long before the first payment is settled, and for all that follow. */
const HELD_BEFORE_MS = 3_000

export interface PlacingResult {
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
}

/** Settling ten payments a second, from the notification to the book, while nothing is held. */
export async function settleAlone(stack: BenchStack): Promise<PlacingResult> {
  const agent = new Agent({ connections: 64 })
  const settle = await prepare(stack, agent)
  const result = await settle()
  await agent.close()
  return result
}

/** The same while the channel holds each order that is placed, ten a second, for four seconds. */
export async function settleBesidePlacing(stack: BenchStack): Promise<PlacingResult> {
  const agent = new Agent({ connections: 64 })
  const settle = await prepare(stack, agent)
  // What waits for the channel must not stand before a notification in the caller's own queue.
  const placer = new Agent({ connections: 128 })
  await hold(stack, true)
  const placing = runOpenLoop({
    everyMs: 1_000 / PER_SECOND,
    count: SETTLED + (PER_SECOND * HELD_BEFORE_MS) / 1_000,
    flow: async () => {
      await createPayment(stack, placer)
    },
  })
  const result = await settle(HELD_BEFORE_MS)
  await placing
  await hold(stack, false)
  await placer.close()
  await agent.close()
  return result
}

async function prepare(
  stack: BenchStack,
  agent: Agent,
): Promise<(afterMs?: number) => Promise<PlacingResult>> {
  const orders = await createPayments(stack, agent, { count: SETTLED, atOnce: CREATE_AT_ONCE })
  const notify = await notifier(stack, agent)
  return async (afterMs = 0) => {
    const watcher = watchPaid(stack)
    const latency = await runOpenLoop({
      afterMs,
      everyMs: 1_000 / PER_SECOND,
      count: orders.length,
      flow: async (index) => {
        const order = orders[index]
        if (order === undefined) throw new Error('There are fewer orders than notifications.')
        const paid = watcher.whenPaid(order.id)
        await notify(paidNotification(stack, order))
        await paid
      },
    })
    await watcher.stop()
    return latency
  }
}

async function hold(stack: BenchStack, isHeld: boolean): Promise<void> {
  const fault = { match: { call: 'unifiedorder' }, fault: 'slow', ms: HELD_MS, times: -1 }
  const reply = await request(`${stack.sandboxUrl}/_control/faults`, {
    method: isHeld ? 'POST' : 'DELETE',
    dispatcher: stack.sandboxAgent,
    ...(isHeld ? { body: JSON.stringify([fault]) } : {}),
  })
  const text = await reply.body.text()
  if (reply.statusCode >= 300) throw new Error(`The sandbox refused the fault: ${text}`)
}

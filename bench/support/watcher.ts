import { setTimeout as sleep } from 'node:timers/promises'

import type { BenchStack } from './stack.js'

const LOOK_EVERY_MS = 20

export interface Watcher {
  whenPaid(paymentId: string): Promise<void>
  stop(): Promise<void>
}

/** Looks into the book for all waiting payments at once, so that watching costs next to nothing. */
export function watchPaid({ owner }: BenchStack): Watcher {
  const waiting = new Map<string, () => void>()
  let stopped = false
  const statement = {
    name: 'bench_paid',
    text: `select id from payments where id = any($1::uuid[]) and state = 'paid'`,
  }
  const looking = (async () => {
    while (!stopped) {
      const ids = [...waiting.keys()]
      const rows = ids.length > 0 ? await owner.rows<{ id: string }>(statement, [ids]) : []
      for (const { id } of rows) {
        waiting.get(id)?.()
        waiting.delete(id)
      }
      await sleep(LOOK_EVERY_MS)
    }
  })()
  return {
    whenPaid: (id) => new Promise((resolve) => waiting.set(id, resolve)),
    async stop() {
      stopped = true
      await looking
    },
  }
}

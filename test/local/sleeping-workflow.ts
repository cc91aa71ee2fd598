import { sleep, upsertSearchAttributes } from '@temporalio/workflow'

/** Waits for days, as a refund to a bank card does, and says how long it felt. */
export async function waitForDays(days: number): Promise<number> {
  const startedAtMs = Date.now()
  await sleep(`${days} days`)
  return Date.now() - startedAtMs
}

/** Writes an attribute that the server must know by name and type. */
export async function markDueAt(dueAtMs: number): Promise<void> {
  upsertSearchAttributes({ YuanluDueAt: [new Date(dueAtMs)], YuanluAttention: ['none'] })
}

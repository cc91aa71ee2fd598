import { setTimeout as sleep } from 'node:timers/promises'

const POLL_MS = 100

export interface UntilOptions {
  /** What is waited for, as the end of the sentence "... did not happen within ...". */
  readonly what: string
  readonly timeoutMs: number
  readonly signal: AbortSignal
  readonly pollMs?: number
}

/**
 * Asks again and again until there is an answer.
 *
 * @throws Error when there is none in time, or when the signal says that nobody waits any more.
 */
export async function until<T>(
  ask: () => Promise<T | undefined> | T | undefined,
  options: UntilOptions,
): Promise<T> {
  const deadlineMs = Date.now() + options.timeoutMs
  for (;;) {
    options.signal.throwIfAborted()
    const answer = await ask()
    if (answer !== undefined) return answer
    if (Date.now() > deadlineMs) {
      throw new Error(`${options.what}: not within ${Math.round(options.timeoutMs / 1000)} s.`)
    }
    await sleep(options.pollMs ?? POLL_MS, undefined, { signal: options.signal })
  }
}

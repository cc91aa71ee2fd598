import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises'
import { Connection, defaultGrpcRetryOptions, makeGrpcRetryInterceptor } from '@temporalio/client'

/** With the waits between them, these tries take about two seconds when nobody answers. */
const TRIES_MAX = 4
const RETRY_WAIT_MS_MAX = 1_000
const CLOSE_MARGIN_MS = 50

/** The connection to the engine's frontend, which may come and go. */
export interface EngineConnection {
  readonly connection: Connection
  /** True when the frontend answers a trivial question within `timeoutMs`. */
  isReachable(timeoutMs: number): Promise<boolean>
  close(): Promise<void>
}

/**
 * Connects when it is first used. The client repeats failed calls by timers that know nothing of a
 * closed connection and would end the process, so here repeating ends before closing begins.
 */
export function connectEngine(address: string): EngineConnection {
  const usual = defaultGrpcRetryOptions({ maxAttempts: TRIES_MAX })
  let closing = false
  let lastRetryAtMs = 0
  const retry = makeGrpcRetryInterceptor({
    retryableDecider: (attempt, status) => !closing && usual.retryableDecider(attempt, status),
    delayFunction(attempt, status) {
      const waitMs = Math.min(RETRY_WAIT_MS_MAX, usual.delayFunction(attempt, status))
      lastRetryAtMs = Math.max(lastRetryAtMs, performance.now() + waitMs)
      return waitMs
    },
  })
  const connection = Connection.lazy({ address, interceptors: [retry] })
  return {
    connection,
    isReachable: (timeoutMs) => answers(connection, timeoutMs),
    async close() {
      closing = true
      // Timers reckon from the turn they were set in, so where turns are long one comes early.
      while (performance.now() < lastRetryAtMs + CLOSE_MARGIN_MS) await sleep(CLOSE_MARGIN_MS)
      await turn()
      await connection.close()
    },
  }
}

async function answers(connection: Connection, timeoutMs: number): Promise<boolean> {
  try {
    await connection.withDeadline(Date.now() + timeoutMs, () =>
      connection.workflowService.getSystemInfo({}),
    )
    return true
  } catch {
    return false
  }
}

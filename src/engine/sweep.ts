import type { Database } from '../db/pool.js'
import { watchedRows, watchFrom, type OpenRow, type WatchedRow } from '../db/sweep.js'
import { failPoints } from '../domain/fail-points.js'
import { paymentWorkflowId, refundWorkflowId } from '../domain/ids.js'
import type { Engine } from './client.js'

const AT = failPoints('sweep', ['start', 'watch'])

/** How long a step may be overdue before somebody looks. */
const PATIENCE_MS = 3 * 60_000
/** A row that has a workflow is looked at again after as long as it stood still, within these. */
const AGAIN_MS = { least: 10 * 60_000, most: 60 * 60_000 }
/** One that could not be looked at, because the engine is away. */
const FAILED_AGAIN_MS = 60_000
const BATCH_MAX = 100
const AT_ONCE_MAX = 10

/** What a look at a row found: its workflow, or none, so that it was started. */
export type Found = 'running' | 'started'

export type Reviver = Pick<Engine, 'isRunning' | 'resumePayment' | 'resumeRefund'>

export interface SweepDependencies {
  readonly database: Database
  readonly engine: Reviver
  readonly clock: { now(): Date }
  /** Told of each row that had no workflow. */
  readonly onStarted: (row: OpenRow) => void
  readonly onError: (error: unknown) => void
}

/** The workflow that a row should have. */
export const workflowIdOf = (row: OpenRow): string =>
  row.kind === 'payment'
    ? paymentWorkflowId(row.merchantId, row.outTradeNo)
    : refundWorkflowId(row.merchantId, row.outRefundNo)

/** Starts the workflow of a row from the row; one that runs is left as it is. */
export async function startFromRow(engine: Reviver, row: OpenRow): Promise<void> {
  if (row.kind === 'payment') await engine.resumePayment(row)
  else await engine.resumeRefund(row)
}

/**
 * Looks for rows that should have been moved on and were not, because whoever wrote them died
 * before their workflow was started, or Temporal lost it, and starts those from the row. A workflow
 * that runs is not touched, and the longer its row stands still the less often it is looked at:
 * where the channel is away, or a card takes days, that is no fault.
 * @returns how many rows were looked at
 */
export function createSweep(dependencies: SweepDependencies) {
  const { database, engine, clock, onStarted, onError } = dependencies

  return async function tick(): Promise<number> {
    const before = new Date(clock.now().getTime() - PATIENCE_MS)
    const rows = await watchedRows(database, before, BATCH_MAX)
    for (let from = 0; from < rows.length; from += AT_ONCE_MAX) {
      const some = rows.slice(from, from + AT_ONCE_MAX)
      const watches = await Promise.all(
        some.map(async (row) => ({ row, at: nextFrom(row, await look(row), clock.now()) })),
      )
      await AT.watch(() => watchFrom(database, watches))
    }
    return rows.length
  }

  async function look(row: WatchedRow): Promise<Found | 'failed'> {
    try {
      if (await engine.isRunning(workflowIdOf(row))) return 'running'
      await AT.start(() => startFromRow(engine, row))
      onStarted(row)
      return 'started'
    } catch (error) {
      onError(error)
      return 'failed'
    }
  }
}

/** The instant that is `PATIENCE_MS` before the next look. */
function nextFrom({ overdueFrom }: WatchedRow, found: Found | 'failed', now: Date): Date {
  const stoodMs = now.getTime() - overdueFrom.getTime()
  const waitMs =
    found === 'failed'
      ? FAILED_AGAIN_MS
      : Math.min(Math.max(stoodMs, AGAIN_MS.least), AGAIN_MS.most)
  return new Date(now.getTime() + waitMs - PATIENCE_MS)
}

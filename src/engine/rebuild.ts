import { setTimeout as sleep } from 'node:timers/promises'

import type { Database } from '../db/pool.js'
import { openAmong, openIds, withoutRow, type Numbered, type OpenRow } from '../db/sweep.js'
import { paymentWorkflowId, refundWorkflowId, subjectOfWorkflow } from '../domain/ids.js'
import type { Engine } from './client.js'
import { startFromRow, workflowIdOf, type Found, type Reviver } from './sweep.js'

const BATCH_MAX = 500
const SECOND_MS = 1_000

export interface RebuildDependencies {
  readonly database: Database
  readonly engine: Reviver & Pick<Engine, 'runningWorkflowIds'>
}

export interface RebuildOptions {
  /** Only look, and start nothing. */
  readonly isDryRun: boolean
  /** Rows a second that Temporal is asked about. */
  readonly perSecond: number
  /** Told how much is done, from 0 to 1. */
  readonly onProgress: (done: number) => void
}

/** Rows of one kind that are not over. */
export interface RebuildCount {
  /** Whose workflow runs, and was left as it is. */
  running: number
  /** Whose workflow was started, or would have been. */
  started: number
}

export interface Rebuilt {
  readonly isDryRun: boolean
  readonly payments: RebuildCount
  readonly refunds: RebuildCount
  /** Workflows that could not be started or asked about, and why. */
  readonly failed: { readonly workflowId: string; readonly why: string }[]
  /** Workflows that run and have no row: the database is of an earlier moment than they are. */
  readonly withoutRow: string[]
}

/**
 * Gives every row that is not over its workflow again, after Temporal lost it, and finds workflows
 * that have no row. Where all is well it only asks. A row that ends meanwhile is left out, so it
 * may run beside everything else, and again.
 */
export async function rebuild(
  dependencies: RebuildDependencies,
  options: RebuildOptions,
): Promise<Rebuilt> {
  const result: Rebuilt = {
    isDryRun: options.isDryRun,
    payments: { running: 0, started: 0 },
    refunds: { running: 0, started: 0 },
    failed: [],
    withoutRow: [],
  }
  const { database, engine } = dependencies
  const turn = createTurns(options.perSecond)
  const look = async (row: OpenRow): Promise<Found> => {
    await turn()
    if (await engine.isRunning(workflowIdOf(row))) return 'running'
    if (!options.isDryRun) await startFromRow(engine, row)
    return 'started'
  }
  const ids = (await openIds(database)).map(({ id }) => id)
  for (let from = 0; from < ids.length; from += BATCH_MAX) {
    const rows = await openAmong(database, ids.slice(from, from + BATCH_MAX))
    await Promise.all(rows.map((row) => count(row, look(row), result)))
    options.onProgress(Math.min(from + BATCH_MAX, ids.length) / ids.length)
  }
  result.withoutRow.push(...(await findWithoutRow(dependencies)))
  return result
}

/** Resolves for one caller after the other, so many times a second. */
function createTurns(perSecond: number): () => Promise<void> {
  let lastMs = -Infinity
  return async () => {
    const nowMs = performance.now()
    lastMs = Math.max(nowMs, lastMs + SECOND_MS / perSecond)
    if (lastMs > nowMs) await sleep(lastMs - nowMs)
  }
}

async function count(row: OpenRow, found: Promise<Found>, result: Rebuilt): Promise<void> {
  try {
    result[row.kind === 'payment' ? 'payments' : 'refunds'][await found] += 1
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    result.failed.push({ workflowId: workflowIdOf(row), why })
  }
}

async function findWithoutRow({ database, engine }: RebuildDependencies): Promise<string[]> {
  const found: Numbered[] = []
  let batch: Numbered[] = []
  for await (const workflowId of engine.runningWorkflowIds()) {
    const subject = subjectOfWorkflow(workflowId)
    if (subject !== undefined) batch.push(subject)
    if (batch.length < BATCH_MAX) continue
    found.push(...(await withoutRow(database, batch)))
    batch = []
  }
  found.push(...(await withoutRow(database, batch)))
  return found.map(idOf).toSorted()
}

const idOf = ({ kind, merchantId, number }: Numbered): string =>
  kind === 'payment' ? paymentWorkflowId(merchantId, number) : refundWorkflowId(merchantId, number)

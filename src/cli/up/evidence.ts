import { WorkflowNotFoundError, type Client } from '@temporalio/client'

import { sql, type Database } from '../../db/pool.js'
import type { FactSource } from '../../db/inbox.js'

/** What the book and the history say of a step; the demo shows nothing it has not read here. */

/** A fact about a payment or a refund as it came in. */
export interface StoredFact {
  readonly source: FactSource
  readonly storedAt: Date
}

const FACTS = sql(
  'up_facts',
  'select source, stored_at as "storedAt" from inbox where subject_id = $1 order by stored_at, id',
)

/** When a fact of this source about a payment or refund was stored, if there is one. */
export async function factFrom(
  database: Database,
  subjectId: string,
  source: FactSource,
): Promise<Date | undefined> {
  const facts = await database.rows<StoredFact>(FACTS, [subjectId])
  return facts.find((fact) => fact.source === source)?.storedAt
}

const AUDIT_TIME = sql(
  'up_audit_time',
  'select at from audit where subject_id = $1 and action = $2 order by at limit 1',
)

/** When the audit log says that something happened to a payment or a refund, if it did. */
export async function auditedAt(
  database: Database,
  subjectId: string,
  action: string,
): Promise<Date | undefined> {
  return (await database.rows<{ at: Date }>(AUDIT_TIME, [subjectId, action]))[0]?.at
}

const COUNT = sql(
  'up_count',
  `select (select count(*) from payments where merchant_id = $1)::int
  as payments, (select count(*) from refunds where merchant_id = $1)::int as refunds`,
)

export interface BookCount {
  readonly payments: number
  readonly refunds: number
}

/** How many payments and refunds a merchant has. */
export async function countBook(database: Database, merchantId: string): Promise<BookCount> {
  const [count] = await database.rows<BookCount>(COUNT, [merchantId])
  return count ?? { payments: 0, refunds: 0 }
}

/** A workflow as Temporal describes it now. */
export interface DescribedWorkflow {
  readonly runId: string
  readonly status: string
  readonly startedAt: Date
}

/** Undefined when Temporal knows no such workflow. */
export async function describeWorkflow(
  temporal: Client,
  workflowId: string,
): Promise<DescribedWorkflow | undefined> {
  try {
    const { runId, status, startTime } = await temporal.workflow.getHandle(workflowId).describe()
    return { runId, status: status.name, startedAt: startTime }
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined
    throw error
  }
}

const SECOND_MS = 1_000
const NANOSECONDS_PER_MS = 1_000_000

/** When a signal of one of these names stands in a workflow's history, and which it was. */
export async function signalledAt(
  temporal: Client,
  workflowId: string,
  names: readonly string[],
): Promise<{ name: string; at: Date } | undefined> {
  const { events } = await temporal.workflow.getHandle(workflowId).fetchHistory()
  for (const { eventTime, workflowExecutionSignaledEventAttributes: signal } of events ?? []) {
    const name = signal?.signalName ?? ''
    if (!names.includes(name) || !eventTime) continue
    const ms = Number(eventTime.seconds) * SECOND_MS + (eventTime.nanos ?? 0) / NANOSECONDS_PER_MS
    return { name, at: new Date(ms) }
  }
  return undefined
}

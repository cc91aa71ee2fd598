import { sql } from '../db/pool.js'
import type { Transaction } from '../db/transaction.js'

export interface AuditEntry {
  readonly id: string
  readonly merchantId: string
  readonly at: Date
  readonly actorKind: 'api_key' | 'temporal-operator' | 'channel' | 'engine'
  readonly actorId: string
  readonly actingUser: string | null
  readonly action: string
  readonly subjectKind: 'payment' | 'refund'
  readonly subjectId: string
  readonly detail: object
}

const INSERT = sql(
  'audit_insert',
  `insert into audit (id, merchant_id, at, actor_kind, actor_id, acting_user, action,
     subject_kind, subject_id, detail)
   values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
)

/** Writes who did what and the way it came, in the transaction that does it. */
export async function recordAudit(tx: Transaction, entry: AuditEntry): Promise<void> {
  await tx.rows(INSERT, [
    entry.id,
    entry.merchantId,
    entry.at,
    entry.actorKind,
    entry.actorId,
    entry.actingUser,
    entry.action,
    entry.subjectKind,
    entry.subjectId,
    JSON.stringify(entry.detail),
  ])
}

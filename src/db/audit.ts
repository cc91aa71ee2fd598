import type { Cursor } from './payments.js'
import { sql, type Queryable } from './pool.js'
import type { Transaction } from './transaction.js'

export const ACTOR_KINDS = [
  'api_key',
  'temporal-operator',
  'policy',
  'deadline',
  'channel',
  'engine',
  'command-line',
] as const
export type ActorKind = (typeof ACTOR_KINDS)[number]

export const AUDIT_SUBJECTS = ['payment', 'refund', 'case', 'merchant', 'account'] as const
export type AuditSubject = (typeof AUDIT_SUBJECTS)[number]

export interface AuditRow {
  readonly id: string
  readonly createdAt: Date
  /** The way it came. */
  readonly actorKind: ActorKind
  readonly actorId: string
  readonly actingUser: string | null
  readonly action: string
  readonly subjectKind: AuditSubject
  /** Null for the merchant itself. */
  readonly subjectId: string | null
  readonly detail: Readonly<Record<string, unknown>>
}

export interface AuditQuery {
  readonly merchantId: string
  readonly actorKind?: ActorKind | undefined
  readonly subjectKind?: AuditSubject | undefined
  readonly subjectId?: string | undefined
  readonly action?: string | undefined
  readonly after?: Cursor | undefined
  readonly limit: number
}

const LIST = sql(
  'audit_list',
  `select id, at as "createdAt", actor_kind as "actorKind", actor_id as "actorId",
     acting_user as "actingUser", action, subject_kind as "subjectKind",
     subject_id as "subjectId", detail
   from audit
   where merchant_id = $1 and ($2::text is null or actor_kind = $2)
     and ($3::text is null or subject_kind = $3) and ($4::uuid is null or subject_id = $4)
     and ($5::text is null or action = $5)
     and ($6::timestamptz is null or (at, id) < ($6, $7::uuid))
   order by at desc, id desc limit $8`,
)

/** What was done about a merchant's things, newest first. */
export async function listAudit(db: Queryable, query: AuditQuery): Promise<AuditRow[]> {
  const { merchantId, actorKind, subjectKind, subjectId, action, after, limit } = query
  const filters = [merchantId, actorKind, subjectKind, subjectId, action]
  return db.rows<AuditRow>(LIST, [...filters, after?.createdAt, after?.id, limit])
}

const INSERT = sql(
  'audit_insert',
  `insert into audit (id, merchant_id, at, actor_kind, actor_id, acting_user, action,
     subject_kind, subject_id, detail)
   values ($1, $2, $3, $4, $5, $6, $7, 'refund', $8, $9)`,
)

/** Writes down what was tried about a refund and changed nothing, so that no event tells of it. */
export function auditRefund(
  tx: Transaction,
  line: {
    readonly id: string
    readonly merchantId: string
    readonly actor: {
      readonly actorKind: ActorKind
      readonly actorId: string
      readonly actingUser: string | null
    }
    readonly action: string
    readonly refundId: string
    readonly detail: object
    readonly now: Date
  },
): void {
  const { id, merchantId, actor, action, refundId, detail, now } = line
  const { actorKind, actorId, actingUser } = actor
  const who = [actorKind, actorId, actingUser]
  tx.send(INSERT, [id, merchantId, now, ...who, action, refundId, JSON.stringify(detail)])
}

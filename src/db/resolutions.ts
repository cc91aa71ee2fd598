import type { Proof, ResolutionOutcome, ResolutionVerb } from '../domain/resolution.js'
import { sql, type Queryable } from './pool.js'
import { saidMarks } from './said-rows.js'
import type { Transaction } from './transaction.js'

export interface ResolutionRow {
  readonly id: string
  readonly refundId: string
  readonly verb: ResolutionVerb
  readonly principalId: string
  readonly actingUser: string
  readonly evidence: string
  readonly storedAt: Date
  readonly appliedAt: Date | null
  readonly outcome: ResolutionOutcome | null
  readonly proof: RecordedProof | null
}

/** What the channel said when it was asked for the sake of a resolution. */
export interface RecordedProof {
  readonly proves: Proof
  /** ISO instant of the question. */
  readonly askedAt: string
  readonly answer: object
}

const COLUMNS = `id, refund_id as "refundId", verb, principal_id as "principalId",
  acting_user as "actingUser", evidence, stored_at as "storedAt", applied_at as "appliedAt",
  outcome, proof`

export interface NewResolution {
  readonly id: string
  readonly refundId: string
  readonly verb: ResolutionVerb
  readonly principalId: string
  readonly actingUser: string
  readonly evidence: string
  readonly now: Date
}

const INSERT = sql(
  'resolutions_insert',
  `insert into refund_resolutions (id, refund_id, verb, principal_id, acting_user, evidence,
     stored_at)
   values ($1, $2, $3, $4, $5, $6, $7)`,
)

/** Records what an authenticated person says about a stuck refund; the workflow applies it. */
export async function recordResolution(db: Queryable, resolution: NewResolution): Promise<void> {
  const { id, refundId, verb, principalId, actingUser, evidence, now } = resolution
  await db.rows(INSERT, [id, refundId, verb, principalId, actingUser, evidence, now])
}

const BY_ID = sql('resolutions_by_id', `select ${COLUMNS} from refund_resolutions where id = $1`)

export async function findResolution(
  db: Queryable,
  id: string,
): Promise<ResolutionRow | undefined> {
  return (await db.rows<ResolutionRow>(BY_ID, [id]))[0]
}

const OF_REFUND = sql(
  'resolutions_of_refund',
  `select ${COLUMNS} from refund_resolutions where refund_id = $1 order by stored_at, id`,
)

export async function resolutionsOf(db: Queryable, refundId: string): Promise<ResolutionRow[]> {
  return db.rows<ResolutionRow>(OF_REFUND, [refundId])
}

const APPLIED = sql(
  'resolutions_applied',
  `update refund_resolutions set applied_at = $2, outcome = $3, proof = $4
   where id = $1 and applied_at is null`,
)

/** Notes what a resolution did and what the channel said; what stands there already stays. */
export async function markResolutionApplied(
  tx: Transaction,
  id: string,
  result: { readonly outcome: ResolutionOutcome; readonly proof: RecordedProof | null },
  now: Date,
): Promise<void> {
  const proof = result.proof === null ? null : JSON.stringify(result.proof)
  await tx.lock('message').rows(APPLIED, [id, now, result.outcome, proof])
}

export const {
  signalled: markResolutionSignalled,
  resent: markResolutionResent,
  undelivered: undeliveredResolutions,
  applied: appliedResolutions,
} = saidMarks<ResolutionOutcome>('refund_resolutions', 'resolutions')

const MARK_RETRY = sql('refunds_mark_retry', 'select mark_refund_retry($1, $2, $3, $4)')

/**
 * Says that a new request tries a closed refund again.
 * @throws the database's error when no proof of the last minute allows it, or it was done before
 */
export async function markRefundRetry(
  tx: Transaction,
  retry: {
    readonly refundId: string
    readonly retryOf: string
    readonly resolutionId: string
    readonly now: Date
  },
): Promise<void> {
  const { refundId, retryOf, resolutionId, now } = retry
  await tx.lock('refund').rows(MARK_RETRY, [refundId, retryOf, resolutionId, now])
}

const RETRY_OF = sql('refunds_retry_of', 'select id from refunds where retry_of = $1')

/** The refund that tries a closed one again, where there is one. */
export async function findRetryOf(db: Queryable, refundId: string): Promise<string | undefined> {
  return (await db.rows<{ id: string }>(RETRY_OF, [refundId]))[0]?.id
}

import type { DecisionOutcome, DecisionVerb, PrincipalKind } from '../domain/refund.js'
import { only, sql, type Queryable } from './pool.js'
import { saidMarks } from './said-rows.js'
import type { Transaction } from './transaction.js'

export interface DecisionRow {
  readonly id: string
  readonly refundId: string
  readonly verb: DecisionVerb
  readonly principalKind: PrincipalKind
  readonly principalId: string
  readonly actingUser: string
  readonly reason: string
  /** A shop of one said that it approves what it asked for itself. */
  readonly selfApproval: boolean
  readonly storedAt: Date
  readonly appliedAt: Date | null
  readonly outcome: DecisionOutcome | null
}

const COLUMNS = `id, refund_id as "refundId", verb, principal_kind as "principalKind",
  principal_id as "principalId", acting_user as "actingUser", reason,
  self_approval as "selfApproval", stored_at as "storedAt",
  applied_at as "appliedAt", outcome`

export interface NewDecision {
  readonly id: string
  readonly refundId: string
  readonly verb: DecisionVerb
  readonly principalId: string
  readonly actingUser: string
  readonly reason: string
  readonly selfApproval?: boolean | undefined
  readonly now: Date
}

const INSERT = sql(
  'decisions_insert',
  `insert into refund_decisions (id, refund_id, verb, principal_kind, principal_id, acting_user,
     reason, stored_at, self_approval)
   values ($1, $2, $3, 'api_key', $4, $5, $6, $7, $8)
   on conflict (refund_id, verb, principal_id, acting_user)
     where outcome is null or outcome not in ('over_day_limit', 'over_person_limit')
   do nothing returning ${COLUMNS}`,
)
const SAME = sql(
  'decisions_same',
  `select ${COLUMNS} from refund_decisions
   where refund_id = $1 and verb = $2 and principal_id = $3 and acting_user = $4
     and (outcome is null or outcome not in ('over_day_limit', 'over_person_limit'))`,
)

/**
 * Records what an authenticated principal decided: a key and its acting user. The same principal
 * saying the same again gets the decision that stands, because decisions are idempotent by
 * principal; but what a day's limit refused may be said again, on another day.
 */
export async function recordDecision(db: Queryable, decision: NewDecision): Promise<DecisionRow> {
  const { refundId, verb, principalId, actingUser } = decision
  const key = [refundId, verb, principalId, actingUser]
  const values = [
    decision.id,
    ...key,
    decision.reason,
    decision.now,
    decision.selfApproval ?? false,
  ]
  for (;;) {
    const [standing] = await db.rows<DecisionRow>(SAME, key)
    if (standing !== undefined) return standing
    const [recorded] = await db.rows<DecisionRow>(INSERT, values)
    if (recorded !== undefined) return recorded
    // The same was said at the same time: it stands now, or a day's limit has refused it already.
  }
}

const BY_ID = sql('decisions_by_id', `select ${COLUMNS} from refund_decisions where id = $1`)

export async function findDecision(db: Queryable, id: string): Promise<DecisionRow | undefined> {
  return (await db.rows<DecisionRow>(BY_ID, [id]))[0]
}

const OF_REFUND = sql(
  'decisions_of_refund',
  `select ${COLUMNS} from refund_decisions where refund_id = $1 order by stored_at, id`,
)

export async function decisionsOf(db: Queryable, refundId: string): Promise<DecisionRow[]> {
  return db.rows<DecisionRow>(OF_REFUND, [refundId])
}

const APPLIED = sql(
  'decisions_applied',
  `update refund_decisions set applied_at = $2, outcome = $3
   where id = $1 and applied_at is null`,
)

/** Notes what a decision did; what stands there already stays. */
export async function markDecisionApplied(
  tx: Transaction,
  id: string,
  outcome: DecisionOutcome,
  now: Date,
): Promise<void> {
  await tx.lock('message').rows(APPLIED, [id, now, outcome])
}

export const {
  signalled: markDecisionSignalled,
  resent: markDecisionResent,
  undelivered: undeliveredDecisions,
  applied: appliedDecisions,
} = saidMarks<DecisionOutcome>('refund_decisions', 'decisions')

const RECORD_OPERATOR = sql(
  'decisions_record_operator',
  'select record_operator_approval($1, $2, $3, $4, $5)',
)

/** The one kind of decision a worker may write: an approval typed into Temporal. */
export async function recordOperatorApproval(
  tx: Transaction,
  approval: {
    readonly id: string
    readonly refundId: string
    readonly reason: string
    readonly runId: string
    readonly now: Date
  },
): Promise<void> {
  const { id, refundId, reason, runId, now } = approval
  await tx.rows(RECORD_OPERATOR, [id, refundId, reason, runId, now])
}

const RECORD_DEADLINE = sql(
  'decisions_record_deadline',
  'select record_deadline_approval($1, $2, $3) as id',
)

/**
 * The other kind a worker may write: the approval that a refund's policy wants at its deadline.
 * @returns false where the policy does not say so
 */
export async function recordDeadlineApproval(
  tx: Transaction,
  approval: { readonly id: string; readonly refundId: string; readonly now: Date },
): Promise<boolean> {
  const { id, refundId, now } = approval
  const [row] = await tx.rows<{ id: string | null }>(RECORD_DEADLINE, [id, refundId, now])
  return row?.id === id
}

const FIRST = sql(
  'decisions_first_of_two',
  `select ${COLUMNS} from refund_decisions where refund_id = $1 and outcome = 'first_of_two'`,
)

/** The approval that waits for a second one. */
export async function firstApproval(
  db: Queryable,
  refundId: string,
): Promise<DecisionRow | undefined> {
  return (await db.rows<DecisionRow>(FIRST, [refundId]))[0]
}

const DECIDING_KEYS = sql('decisions_deciding_keys', 'select deciding_keys($1) as keys')

/** How many API keys of a merchant may decide about refunds. */
export async function decidingKeys(db: Queryable, merchantId: string): Promise<number> {
  return only(await db.rows<{ keys: number }>(DECIDING_KEYS, [merchantId])).keys
}

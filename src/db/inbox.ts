import { only, sql, type Queryable } from './pool.js'
import type { Transaction } from './transaction.js'

/** `external` is about a refund of the channel's portal, which has no row here yet. */
export type FactKind = 'payment' | 'refund' | 'external'
/** `manual` is a decision of a person, which waits like any fact. */
export type FactSource = 'notify' | 'query' | 'manual'

export interface NewFact {
  readonly id: string
  readonly accountId: string
  readonly kind: FactKind
  /** Unique per account and kind: the same fact is stored once, however often it is told. */
  readonly businessKey: string
  /** The payment or the refund the fact is about. */
  readonly subjectId: string
  readonly source: FactSource
  readonly verifiedBy: 'signature' | 'decryption' | 'query' | 'api_key'
  readonly fact: object
  readonly now: Date
}

export interface StoredFact {
  readonly id: string
  readonly applied: boolean
  readonly timesSeen: number
}

const STORE = sql(
  'inbox_store',
  `insert into inbox (id, account_id, kind, business_key, subject_id, source, verified_by, fact,
     stored_at)
   values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
   on conflict (account_id, kind, business_key) do update set times_seen = inbox.times_seen + 1
   returning id, applied_at is not null as applied, times_seen as "timesSeen"`,
)

/** Stores a fact, or counts it when it is known already, and answers the row that stands. */
export async function storeFact(db: Queryable, fact: NewFact): Promise<StoredFact> {
  return only(
    await db.rows<StoredFact>(STORE, [
      fact.id,
      fact.accountId,
      fact.kind,
      fact.businessKey,
      fact.subjectId,
      fact.source,
      fact.verifiedBy,
      JSON.stringify(fact.fact),
      fact.now,
    ]),
  )
}

const APPLIED_AMONG = sql(
  'inbox_applied_among',
  'select id, outcome from inbox where id = any($1::uuid[]) and applied_at is not null',
)

/** Which of these facts are applied, and what each of them did. */
export async function appliedFacts(
  db: Queryable,
  ids: readonly string[],
): Promise<{ readonly id: string; readonly outcome: string }[]> {
  return db.rows(APPLIED_AMONG, [ids])
}

const OUTCOME = sql(
  'inbox_outcome',
  `select outcome from inbox where account_id = $1 and kind = 'payment' and business_key = $2`,
)

/** What a fact about a payment did; null while it waits, undefined when nobody told it. */
export async function outcomeOfFact(
  db: Queryable,
  accountId: string,
  businessKey: string,
): Promise<string | null | undefined> {
  return (await db.rows<{ outcome: string | null }>(OUTCOME, [accountId, businessKey]))[0]?.outcome
}

export interface UnappliedFact {
  readonly id: string
  readonly source: FactSource
  readonly fact: unknown
}

const UNAPPLIED = sql(
  'inbox_unapplied_of',
  `select id, source, fact from inbox where subject_id = $1 and applied_at is null
   order by stored_at, id`,
)

/** Every fact about a subject that no transaction has applied, oldest first. */
export async function unappliedFacts(db: Queryable, subjectId: string): Promise<UnappliedFact[]> {
  return db.rows<UnappliedFact>(UNAPPLIED, [subjectId])
}

const APPLIED = sql(
  'inbox_applied',
  `update inbox set applied_at = $2, outcome = $3
   where id = any($1::uuid[]) and applied_at is null`,
)

/** Notes what facts did, with the commit; what stands there already stays. */
export async function markFactsApplied(
  tx: Transaction,
  ids: readonly string[],
  outcome: string,
  now: Date,
): Promise<void> {
  tx.lock('message').send(APPLIED, [ids, now, outcome])
}

const SIGNALLED = sql(
  'inbox_signalled',
  'update inbox set signalled_at = $2 where id = any($1::uuid[]) and signalled_at is null',
)

/** Notes when the engine was first told of facts; a later telling changes nothing. */
export async function markFactsSignalled(
  db: Queryable,
  ids: readonly string[],
  now: Date,
): Promise<void> {
  await db.rows(SIGNALLED, [ids, now])
}

const RESENT = sql(
  'inbox_resent',
  `update inbox set signalled_at = coalesce(signalled_at, $2), resent_at = $2,
     resent_count = resent_count + 1
   where id = $1`,
)

/** Notes that a fact was sent again, which gives it time until it is sent once more. */
export async function markFactResent(db: Queryable, id: string, now: Date): Promise<void> {
  await db.rows(RESENT, [id, now])
}

const UNDELIVERED = sql(
  'inbox_undelivered',
  `select id, kind, subject_id as "subjectId" from inbox
   where applied_at is null and kind <> 'external'
     and coalesce(resent_at, signalled_at, stored_at)
     < $1::timestamptz - make_interval(secs => $3::int * (2 ^ least(resent_count, 9) - 1))
   order by stored_at limit $2`,
)

export interface UndeliveredFact {
  readonly id: string
  readonly kind: Exclude<FactKind, 'external'>
  readonly subjectId: string
}

/** The first wait before a fact is sent again; each later one is twice as long. */
const PATIENCE_SECONDS = 120

/**
 * Facts that nobody applied although their last signal, or its lack, is older than `before`, and by
 * ever more the more often they were sent: a notice that the channel does not confirm is one.
 */
export async function undeliveredFacts(
  db: Queryable,
  before: Date,
  limit: number,
): Promise<UndeliveredFact[]> {
  return db.rows<UndeliveredFact>(UNDELIVERED, [before, limit, PATIENCE_SECONDS])
}

import type { CaseCause, CaseKind } from '../domain/cases.js'
import type { ActorKind } from './audit.js'
import { newId } from './ids.js'
import type { Cursor } from './payments.js'
import { only, sql, type Queryable } from './pool.js'
import type { Transaction } from './transaction.js'

export interface NewCase {
  readonly kind: CaseKind
  readonly merchantId: string
  readonly paymentId: string
  /** A case is opened once for each cause, however often the cause is seen. */
  readonly causeKind: CaseCause
  readonly causeId: string
  /** How much money it is about; above 0. */
  readonly amountFen: number
  /** What a person has to know of it: ids and codes, nobody's name. */
  readonly detail: object
  readonly now: Date
}

const OPEN = sql('cases_open', 'select open_case($1, $2, $3, $4, $5, $6, $7, $8, $9) as id')

/**
 * Opens a case, in the transaction that finds the cause and with its payment locked.
 * @returns the id of the case, or null where this cause has one already
 */
export async function openCase(tx: Transaction, opened: NewCase): Promise<string | null> {
  const { kind, merchantId, paymentId, causeKind, causeId, amountFen, detail, now } = opened
  const values = [newId(now), merchantId, kind, paymentId, causeKind, causeId, amountFen]
  return only(await tx.rows<{ id: string | null }>(OPEN, [...values, JSON.stringify(detail), now]))
    .id
}

export const CASE_STATES = ['open', 'resolved'] as const
export type CaseState = (typeof CASE_STATES)[number]

export interface CaseRow {
  readonly id: string
  readonly merchantId: string
  readonly kind: CaseKind
  readonly paymentId: string
  readonly causeKind: CaseCause
  readonly causeId: string
  readonly amountFen: number
  readonly detail: Readonly<Record<string, unknown>>
  readonly state: CaseState
  /** When it was opened. */
  readonly createdAt: Date
  readonly resolvedAt: Date | null
}

const COLUMNS = `id, merchant_id as "merchantId", kind, payment_id as "paymentId",
  cause_kind as "causeKind", cause_id as "causeId", amount_fen as "amountFen", detail, state,
  opened_at as "createdAt", resolved_at as "resolvedAt"`

const OF_PAYMENT = sql(
  'cases_of_payment',
  `select ${COLUMNS} from cases where payment_id = $1 order by opened_at, id`,
)

/** Every case about a payment or its refunds, oldest first. */
export async function casesOfPayment(db: Queryable, paymentId: string): Promise<CaseRow[]> {
  return db.rows<CaseRow>(OF_PAYMENT, [paymentId])
}

const FIND = sql('cases_find', `select ${COLUMNS} from cases where id = $1`)

export async function findCase(db: Queryable, id: string): Promise<CaseRow | undefined> {
  const [row] = await db.rows<CaseRow>(FIND, [id])
  return row
}

const LIST = sql(
  'cases_list',
  `select ${COLUMNS} from cases
   where merchant_id = $1 and ($2::text is null or state = $2) and ($3::text is null or kind = $3)
     and ($4::uuid is null or payment_id = $4)
     and ($5::timestamptz is null or (opened_at, id) < ($5, $6::uuid))
   order by opened_at desc, id desc limit $7`,
)

export interface CasesQuery {
  readonly merchantId: string
  readonly state?: CaseState | undefined
  readonly kind?: CaseKind | undefined
  readonly paymentId?: string | undefined
  readonly after?: Cursor | undefined
  readonly limit: number
}

/** What people of a merchant have, or had, to look at; newest first. */
export async function listCases(db: Queryable, query: CasesQuery): Promise<CaseRow[]> {
  const { merchantId, state, kind, paymentId, after, limit } = query
  const filters = [merchantId, state, kind, paymentId]
  return db.rows<CaseRow>(LIST, [...filters, after?.createdAt, after?.id, limit])
}

export interface CaseEventRow {
  readonly type: 'opened' | 'resolved'
  readonly actorKind: Extract<ActorKind, 'api_key' | 'engine'>
  readonly actorId: string
  readonly actingUser: string | null
  readonly note: string | null
  readonly at: Date
}

const EVENTS = sql(
  'case_events_of_case',
  `select type, actor_kind as "actorKind", actor_id as "actorId", acting_user as "actingUser",
     note, at
   from case_events where case_id = $1 order by n`,
)

/** What became of a case, oldest first. */
export async function eventsOfCase(db: Queryable, caseId: string): Promise<CaseEventRow[]> {
  return db.rows<CaseEventRow>(EVENTS, [caseId])
}

const RESOLVE = sql('cases_resolve', 'select resolve_case($1, $2, $3, $4, $5, $6, $7) as outcome')

/** `cause_lasts` where the engine resolves the case itself, once what it is about has ended. */
export type CaseResolution = 'resolved' | 'resolved_before' | 'cause_lasts' | 'not_found'

/**
 * Notes that a person has dealt with a case, and writes the line of the audit log. The book stays
 * as it is: what was counted too much falls with the refunds alone.
 */
export async function resolveCase(
  tx: Transaction,
  resolution: {
    readonly caseId: string
    readonly merchantId: string
    /** The API key, and who used it. */
    readonly principalId: string
    readonly actingUser: string
    /** What was done, 1 to 256 characters. */
    readonly note: string
    readonly now: Date
  },
): Promise<CaseResolution> {
  const { caseId, merchantId, principalId, actingUser, note, now } = resolution
  const values = [caseId, merchantId, principalId, actingUser, note, newId(now), now]
  return only(await tx.lock('payment').rows<{ outcome: CaseResolution }>(RESOLVE, values)).outcome
}

/** How many cases of a kind wait for somebody, over all merchants. */
export interface OpenCases {
  readonly kind: CaseKind
  readonly count: number
}

const COUNT_OPEN = sql(
  'cases_count_open',
  `select kind, count(*) as count from cases where state = 'open' group by kind`,
)

/** By the index of what is open, so it costs what waits and not what there ever was. */
export async function countOpenCases(db: Queryable): Promise<OpenCases[]> {
  return db.rows<OpenCases>(COUNT_OPEN, [])
}

import type { CaseCause, CaseKind } from '../domain/cases.js'
import { newId } from './ids.js'
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

export interface CaseRow {
  readonly id: string
  readonly merchantId: string
  readonly kind: CaseKind
  readonly paymentId: string
  readonly causeKind: CaseCause
  readonly causeId: string
  readonly amountFen: number
  readonly detail: unknown
  readonly state: 'open' | 'resolved'
  readonly openedAt: Date
  readonly resolvedAt: Date | null
}

const OF_PAYMENT = sql(
  'cases_of_payment',
  `select id, merchant_id as "merchantId", kind, payment_id as "paymentId",
     cause_kind as "causeKind", cause_id as "causeId", amount_fen as "amountFen", detail, state,
     opened_at as "openedAt", resolved_at as "resolvedAt"
   from cases where payment_id = $1 order by opened_at, id`,
)

/** Every case about a payment or its refunds, oldest first. */
export async function casesOfPayment(db: Queryable, paymentId: string): Promise<CaseRow[]> {
  return db.rows<CaseRow>(OF_PAYMENT, [paymentId])
}

const RESOLVE = sql('cases_resolve', 'select resolve_case($1, $2, $3, $4, $5, $6) as resolved')

/**
 * Notes that a person has dealt with a case. What was counted too much stays counted: that falls
 * with the refunds alone.
 * @returns false where the merchant has no such case, or where it is resolved already
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
): Promise<boolean> {
  const { caseId, merchantId, principalId, actingUser, note, now } = resolution
  const values = [caseId, merchantId, principalId, actingUser, note, now]
  return only(await tx.lock('payment').rows<{ resolved: boolean }>(RESOLVE, values)).resolved
}

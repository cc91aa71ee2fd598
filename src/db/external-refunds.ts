import type { RefundFact } from '../domain/channel.js'
import type { RefundState } from '../domain/states.js'
import { newId } from './ids.js'
import { only, sql } from './pool.js'
import type { Transaction } from './transaction.js'

export interface ExternalRefund {
  readonly paymentId: string
  /** The answer to a question: what a V2 notification says is not signed, and proves nothing. */
  readonly fact: RefundFact
  readonly now: Date
}

export type ExternalRefundOutcome =
  /** It has a row now: done, or on its way and from here on settled like any other refund. */
  | {
      readonly outcome: 'booked'
      readonly refundId: string
      readonly state: 'refunding' | 'done'
      /** How much more is spoken for than was paid. */
      readonly overReservedFen: number
      /** The case that was opened, where the refund did not fit. */
      readonly caseId: string | null
    }
  /** A refund of ours, or one that was booked before, has one of its two numbers. */
  | { readonly outcome: 'known'; readonly refundId: string; readonly state: RefundState }
  /** The channel closed it before anybody here had heard of it. */
  | { readonly outcome: 'nothing_moved' }
  /** The channel must have been paid: settle the payment, and then book again. */
  | { readonly outcome: 'payment_not_paid' }
  /** What the channel says cannot be; a person looks at it, and nothing was booked. */
  | { readonly outcome: 'exceeds_paid'; readonly caseId: string }
  | { readonly outcome: 'not_found' }

const BOOK = sql(
  'external_refunds_book',
  `select book_external_refund($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) as answer`,
)

/**
 * Books a refund that nobody asked for here: somebody made it in the channel's own portal. The row,
 * its reservation, the entry, the event, the audit's line and the case for what does not fit are
 * one statement under the payment's lock. Repeating it changes nothing.
 *
 * It locks the payment, so it has a transaction of its own or comes first in one.
 * @throws the database's error when the amount is not above 0, or a number is none of the channel's
 */
export async function bookExternalRefund(
  tx: Transaction,
  refund: ExternalRefund,
): Promise<ExternalRefundOutcome> {
  const outcome = await book(tx.lock('payment'), refund)
  // What the call has locked meanwhile is a refund.
  tx.lock('refund')
  return outcome
}

/**
 * Books every refund the channel shows of one payment, in the order given. The payment stays locked
 * all the while, so the refunds of it are nobody else's to lock.
 */
export async function bookExternalRefunds(
  tx: Transaction,
  refunds: readonly ExternalRefund[],
): Promise<ExternalRefundOutcome[]> {
  const outcomes: ExternalRefundOutcome[] = []
  for (const refund of refunds) outcomes.push(await book(tx.lock('payment'), refund))
  tx.lock('refund')
  return outcomes
}

async function book(
  tx: Transaction,
  { paymentId, fact, now }: ExternalRefund,
): Promise<ExternalRefundOutcome> {
  const rows = await tx.rows<{ answer: ExternalRefundOutcome }>(BOOK, [
    newId(now),
    paymentId,
    fact.refundId,
    fact.outRefundNo,
    fact.refundFen,
    fact.settlementFen,
    fact.status,
    fact.successAt ?? null,
    newId(now),
    newId(now),
    newId(now),
    newId(now),
    now,
  ])
  return only(rows).answer
}

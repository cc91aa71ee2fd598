import { bookExternalRefund, type ExternalRefundOutcome } from '../../../src/db/external-refunds.js'
import { inTransaction } from '../../../src/db/transaction.js'
import type { RefundFact } from '../../../src/domain/channel.js'
import { fen } from '../../../src/domain/money.js'
import { NOW, type Book } from './book.js'

let refunds = 0

/** A refund as the channel shows it that somebody made in its portal. */
export function portalFact(amountFen: number, change: Partial<RefundFact> = {}): RefundFact {
  refunds += 1
  return {
    kind: 'refund',
    status: 'success',
    outTradeNo: 'not-compared',
    outRefundNo: `portal-${refunds}`,
    refundId: `5030000${refunds}`,
    refundFen: fen(amountFen),
    settlementFen: fen(amountFen),
    ...change,
  }
}

/** Books it as the worker does. */
export const bookPortal = (
  book: Book,
  paymentId: string,
  fact: RefundFact,
): Promise<ExternalRefundOutcome> =>
  inTransaction(book.worker, (tx) => bookExternalRefund(tx, { paymentId, fact, now: NOW }))

import { newId } from '../../../src/db/ids.js'
import { storeFact } from '../../../src/db/inbox.js'
import { erasePayer } from '../../../src/db/payers.js'
import { inTransaction } from '../../../src/db/transaction.js'
import { fen } from '../../../src/domain/money.js'
import { postEntry } from '../../../src/ledger/journal.js'
import { postPaid } from '../../../src/ledger/postings.js'
import { bookPortal, portalFact } from './portal.js'
import { DAY_TOTAL, DECISION, NOTIFICATION, RESOLUTION } from './texts.js'
import { ATTEMPT } from './webhook-texts.js'
import { addMerchant, addPayment, addRefund, NOW, openBook, run, type Book } from './book.js'

/** A book with a row of each kind, and their ids by name for the statements of a table. */
export interface Scene {
  readonly book: Book
  /** Puts the ids of the scene into a statement: `{pending}` becomes the id of that refund. */
  readonly sql: (text: string) => string
}

/** Opens a scene: 10.00 fully spoken for, 10.00 with all of it left, and one row of the rest. */
export async function openScene(): Promise<Scene> {
  const book = await openBook()
  const payerRef = Buffer.alloc(32, 1)
  const full = await addPayment(book, { totalFen: 1000, orderRef: 'order-1', payerRef })
  const other = await addPayment(book, { totalFen: 1000 })
  const foreign = await addMerchant(book.owner, 'other', '1900000002')
  const ids: Record<string, string> = {
    full,
    other,
    entry: newId(NOW),
    account: book.accountId,
    foreignAccount: foreign.accountId,
    key: book.askingKeyId,
    created: await addPayment(book, { state: 'created', orderRef: 'order-2' }),
    awaiting: await addPayment(book, { state: 'awaiting_payment' }),
    erased: await erasedPayment(book),
    held: await addPayment(book, { disposition: 'held', paidFen: 900 }),
    pending: await addRefund(book, full, 400, 'pending'),
    approved: await addRefund(book, full, 100, 'approved'),
    refunding: await addRefund(book, full, 200, 'refunding'),
    done: await addRefund(book, full, 300, 'done'),
    rejected: await addRefund(book, other, 500, 'rejected'),
  }
  const sql = (text: string): string =>
    text.replaceAll(/\{(\w+)\}/g, (_, name: string) => ids[name] ?? `no id ${name}`)
  await addMessagesAndLines(book, full, ids['entry'] ?? '')
  await run(book.api, sql(DECISION))
  await run(book.api, sql(NOTIFICATION))
  await run(book.api, sql(RESOLUTION))
  await run(book.worker, sql(DAY_TOTAL))
  await run(book.owner, ATTEMPT)
  Object.assign(ids, await overReserved(book))
  return { book, sql }
}

/** 10.00 of which 6.00 are approved when 7.00 turn out to have been refunded in the portal. */
async function overReserved(book: Book): Promise<Readonly<Record<string, string>>> {
  const over = await addPayment(book, { totalFen: 1000 })
  const stopped = await addRefund(book, over, 600, 'approved')
  const booked = await bookPortal(book, over, portalFact(700))
  if (booked.outcome !== 'booked') throw new Error(`It was not booked: ${booked.outcome}.`)
  return { over, stopped, external: booked.refundId, case: booked.caseId ?? '' }
}

/** An applied fact about a payment, and the lines that were posted for it. */
async function addMessagesAndLines(book: Book, paymentId: string, entryId: string): Promise<void> {
  await storeFact(book.api, {
    id: newId(NOW),
    accountId: book.accountId,
    kind: 'payment',
    businessKey: 'P1:closed',
    subjectId: paymentId,
    source: 'notify',
    verifiedBy: 'signature',
    fact: { kind: 'closed' },
    now: NOW,
  })
  await run(
    book.worker,
    `update inbox set applied_at = now(), outcome = 'closed', signalled_at = now(),
       resent_at = now(), resent_count = 1`,
  )
  const cause = { merchantId: book.merchantId, kind: 'payment' as const, id: paymentId }
  await inTransaction(book.worker, (tx) =>
    postEntry(tx, { ...cause, entryId, occurredAt: NOW }, postPaid(book, fen(1000), fen(1000))),
  )
}

async function erasedPayment(book: Book): Promise<string> {
  const payerRef = Buffer.alloc(32, 2)
  const id = await addPayment(book, { state: 'closed', payerRef })
  const { merchantId } = book
  await erasePayer(book.owner, { merchantId, ref: payerRef, limit: 1, now: NOW })
  return id
}

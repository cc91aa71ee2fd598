import { newId } from '../../../src/db/ids.js'
import { storeFact } from '../../../src/db/inbox.js'
import { inTransaction } from '../../../src/db/transaction.js'
import { fen } from '../../../src/domain/money.js'
import { postEntry } from '../../../src/ledger/journal.js'
import { postPaid } from '../../../src/ledger/postings.js'
import { addMerchant, addPayment, addRefund, NOW, openBook, run, type Book } from './book.js'

/** A book with a row of each kind, and their ids by name for the statements of a table. */
export interface Scene {
  readonly book: Book
  /** Puts the ids of the scene into a statement: `{pending}` becomes the id of that refund. */
  readonly sql: (text: string) => string
}

export const DECISION = `insert into refund_decisions
  (id, refund_id, verb, principal_kind, principal_id, acting_user, reason, stored_at)
  values (gen_random_uuid(), '{pending}', 'approve', 'api_key', '{key}', 'Bob', 'fine', now())`

export const PAYMENT = `insert into payments (id, merchant_id, account_id, api_version, mch_id,
  app_id, out_trade_no, order_ref, description, total_fen, channel_request, expires_at, created_at,
  updated_at)
  values (gen_random_uuid(), 'demo', '{account}', 'v2', '1900000001', 'wx1', 'ORDER-0001', null,
  'Tea', 100, '', now(), now(), now())`

export const REFUND = `insert into refunds (id, merchant_id, payment_id, account_id, api_version,
  mch_id, out_refund_no, amount_fen, total_fen, reason, requested_by, requested_for, expires_at,
  created_at, updated_at)
  values (gen_random_uuid(), 'demo', '{other}', '{account}', 'v2', '1900000001', 'R-1', 600, 1000,
  'x', '{key}', 'Alice', now(), now(), now())`

export const FACT = `insert into inbox
  (id, account_id, kind, business_key, subject_id, source, verified_by, fact, stored_at)
  values (gen_random_uuid(), '{account}', 'payment', 'k', '{full}', 'query', 'query', '{}', now())`

export const TRANSFER = `insert into journal_transfers
  (entry_id, n, rule, debit, credit, amount_fen, merchant_id, cause_kind, cause_id, occurred_at)
  values (gen_random_uuid(), 1, 'P1', 'a', 'b', 1, 'demo', 'payment', '{other}', now())`

export const ask = (amountFen: number): string => `select request_refund(gen_random_uuid(), 'demo',
  '{other}', 'R-3', ${amountFen}, 'x', '{key}', 'Alice', now(), gen_random_uuid(),
  gen_random_uuid(), now())`

export const OPERATOR_APPROVES =
  "select record_operator_approval(gen_random_uuid(), '{pending}', 'x', 'run', now())"

/** Everything a paid payment has, all of it `amountFen`. */
export const paidColumns = (amountFen: number): string => `state = 'paid',
  disposition = 'accepted', paid_fen = ${amountFen}, cash_fen = ${amountFen},
  settlement_fen = ${amountFen}, transaction_id = 't', paid_at = now()`

export const changePayment = (name: string, set: string): string =>
  `update payments set ${set} where id = '{${name}}'`

export const changeRefund = (name: string, set: string): string =>
  `update refunds set ${set} where id = '{${name}}'`

/** Opens a scene: 10.00 fully spoken for, 10.00 with all of it left, and one row of the rest. */
export async function openScene(): Promise<Scene> {
  const book = await openBook()
  const full = await addPayment(book, { totalFen: 1000, orderRef: 'order-1' })
  const other = await addPayment(book, { totalFen: 1000 })
  const foreign = await addMerchant(book.owner, 'other', '1900000002')
  const ids: Readonly<Record<string, string>> = {
    full,
    other,
    account: book.accountId,
    foreignAccount: foreign.accountId,
    key: book.askingKeyId,
    created: await addPayment(book, { state: 'created', orderRef: 'order-2' }),
    awaiting: await addPayment(book, { state: 'awaiting_payment' }),
    held: await addPayment(book, { disposition: 'held', paidFen: 900 }),
    pending: await addRefund(book, full, 400, 'pending'),
    approved: await addRefund(book, full, 100, 'approved'),
    refunding: await addRefund(book, full, 200, 'refunding'),
    done: await addRefund(book, full, 300, 'done'),
    rejected: await addRefund(book, other, 500, 'rejected'),
  }
  const sql = (text: string): string =>
    text.replaceAll(/\{(\w+)\}/g, (_, name: string) => ids[name] ?? `no id ${name}`)
  await addMessagesAndLines(book, full)
  await run(book.api, sql(DECISION))
  return { book, sql }
}

/** An applied fact about a payment, and the lines that were posted for it. */
async function addMessagesAndLines(book: Book, paymentId: string): Promise<void> {
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
  await run(book.worker, "update inbox set applied_at = now(), outcome = 'closed'")
  const cause = { merchantId: book.merchantId, kind: 'payment' as const, id: paymentId }
  await inTransaction(book.worker, (tx) =>
    postEntry(
      tx,
      { ...cause, entryId: newId(NOW), occurredAt: NOW },
      postPaid(book, fen(1000), fen(1000)),
    ),
  )
}

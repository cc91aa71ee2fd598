import { randomBytes } from 'node:crypto'

import { createApiKey, SCOPES } from '../../../src/db/api-keys.js'
import { newId, newOutRefundNo, newOutTradeNo } from '../../../src/db/ids.js'
import { insertAccount, insertMerchant } from '../../../src/db/merchants.js'
import {
  insertPayment,
  markClosed,
  markPlaced,
  markPlaceRefused,
} from '../../../src/db/payments.js'
import { Database } from '../../../src/db/pool.js'
import {
  changeRefund,
  requestRefund,
  type RefundChange,
  type RequestOutcome,
} from '../../../src/db/refunds.js'
import { inTransaction } from '../../../src/db/transaction.js'
import type { Disposition, PaymentState, RefundState } from '../../../src/domain/states.js'
import { createTestDatabase } from '../../support/database.js'
import { markPaid } from './mark-paid.js'

export const NOW = new Date('2026-03-01T08:00:00.000Z')

/** A database of a test's own with one merchant, seen by each of the three roles. */
export interface Book {
  readonly ownerUrl: string
  readonly apiUrl: string
  readonly workerUrl: string
  readonly owner: Database
  readonly api: Database
  readonly worker: Database
  readonly merchantId: string
  readonly accountId: string
  readonly mchId: string
  readonly appId: string
  /** Two API keys: one asks, the other approves. */
  readonly askingKeyId: string
  readonly approvingKeyId: string
  readonly close: () => Promise<void>
}

/** Connects as the role that stands in an address. */
export const connect = (url: string, connectionsMax = 4): Database =>
  new Database({ url, connectionsMax, applicationName: 'yuanlu-test' })

/** Opens a database with a merchant `demo`, its account, an appid and two API keys. */
export async function openBook(): Promise<Book> {
  const { drop, ...urls } = await createTestDatabase()
  const owner = connect(urls.ownerUrl)
  const api = connect(urls.apiUrl, 10)
  const worker = connect(urls.workerUrl, 10)
  const merchant = await addMerchant(owner, 'demo', '1900000001')
  return {
    ...urls,
    ...merchant,
    owner,
    api,
    worker,
    close: async () => {
      await Promise.all([owner.close(), api.close(), worker.close()])
      await drop()
    },
  }
}

/** Adds a merchant with an account, an appid and two API keys, as the owner does. */
export async function addMerchant(owner: Database, merchantId: string, mchId: string) {
  const [accountId, askingKeyId, approvingKeyId] = [newId(NOW), newId(NOW), newId(NOW)]
  const appId = `wx${mchId}`
  await insertMerchant(owner, { id: merchantId, name: merchantId, operatorLimitFen: 0, now: NOW })
  await insertAccount(owner, {
    id: accountId,
    merchantId,
    mode: 'sandbox',
    mchId,
    signType: 'HMAC-SHA256',
    opUserId: mchId,
    shortName: 'Demo',
    notifyToken: randomBytes(16).toString('hex'),
    timeScale: 1,
    appIds: [appId],
    now: NOW,
  })
  for (const [id, name] of [
    [askingKeyId, 'asks'],
    [approvingKeyId, 'approves'],
  ] as const) {
    await createApiKey(owner, { id, merchantId, name, scopes: SCOPES, now: NOW })
  }
  return { merchantId, accountId, mchId, appId, askingKeyId, approvingKeyId }
}

/** Runs a plain statement, as an outsider with a database prompt would. */
export async function run<Row = Record<string, unknown>>(
  database: Database,
  text: string,
  values: readonly unknown[] = [],
): Promise<Row[]> {
  return database.rows<Row>({ text }, values)
}

export interface PaymentOptions {
  readonly state?: PaymentState
  readonly totalFen?: number
  readonly paidFen?: number
  readonly disposition?: Disposition
  readonly orderRef?: string
  readonly payerRef?: Buffer
}

/** Brings a payment into a state by the steps that the API and the worker take. */
export async function addPayment(book: Book, options: PaymentOptions = {}): Promise<string> {
  const { state = 'paid', totalFen = 1000, orderRef = null, payerRef = null } = options
  const id = newId(NOW)
  await inTransaction(book.api, (tx) =>
    insertPayment(tx, {
      ...book,
      id,
      outTradeNo: newOutTradeNo(NOW),
      orderRef,
      description: 'Tea',
      totalFen,
      channelRequest: Buffer.from('sealed'),
      payerRef,
      expiresAt: new Date(NOW.getTime() + 1_800_000),
      now: NOW,
    }),
  )
  if (state === 'failed') await markPlaceRefused(book.worker, id, 'NOAUTH', NOW)
  if (state !== 'created' && state !== 'failed') {
    await markPlaced(book.worker, id, { prepayId: 'wx0', now: NOW, dueAt: NOW })
  }
  if (state === 'closed') await inTransaction(book.worker, (tx) => markClosed(tx, id, NOW))
  if (state === 'paid') await pay(book, id, { paidFen: totalFen, ...options })
  return id
}

async function pay(
  book: Book,
  id: string,
  { paidFen = 0, disposition = 'accepted' }: PaymentOptions,
): Promise<void> {
  await inTransaction(book.worker, (tx) =>
    markPaid(tx, id, {
      disposition,
      attention: disposition === 'held' ? 'amount_mismatch' : null,
      paidFen,
      cashFen: paidFen,
      settlementFen: paidFen,
      transactionId: newOutTradeNo(NOW),
      paidAt: NOW,
      now: NOW,
    }),
  )
}

/** Asks for a refund as the API does. */
export async function ask(
  book: Book,
  paymentId: string,
  amountFen: number,
): Promise<{ id: string; outcome: RequestOutcome; leftFen: number }> {
  const id = newId(NOW)
  const answer = await inTransaction(book.api, (tx) =>
    requestRefund(tx, {
      id,
      merchantId: book.merchantId,
      paymentId,
      outRefundNo: newOutRefundNo(NOW),
      amountFen,
      reason: 'does not fit',
      requestedBy: book.askingKeyId,
      requestedFor: 'Alice',
      expiresAt: new Date(NOW.getTime() + 86_400_000),
      eventId: newId(NOW),
      auditId: newId(NOW),
      now: NOW,
    }),
  )
  return { id, ...answer }
}

const SENT: RefundChange = { state: 'refunding', cause: 'submitting', firstSubmittedAt: NOW }
const ATTENTION: RefundChange = { state: 'needs_attention', cause: 'abnormal' }

/** The steps from pending to each state, as the engine takes them. */
const WAYS: Readonly<Record<RefundState, readonly RefundChange[]>> = {
  pending: [],
  approved: [{ state: 'approved' }],
  refunding: [{ state: 'approved' }, SENT],
  needs_attention: [{ state: 'approved' }, SENT, ATTENTION],
  done: [{ state: 'approved' }, SENT, { state: 'done', doneAt: NOW }],
  settled: [{ state: 'approved' }, SENT, ATTENTION, { state: 'settled' }],
  failed: [{ state: 'approved' }, SENT, { state: 'failed' }],
  rejected: [{ state: 'rejected' }],
  cancelled: [{ state: 'cancelled' }],
  expired: [{ state: 'expired' }],
}

/** Brings a refund into a state by the steps that the API and the worker take. */
export async function addRefund(
  book: Book,
  paymentId: string,
  amountFen: number,
  state: RefundState = 'pending',
): Promise<string> {
  const { id, outcome } = await ask(book, paymentId, amountFen)
  if (outcome !== 'requested') throw new Error(`The refund was refused: ${outcome}.`)
  for (const change of WAYS[state]) {
    await inTransaction(book.worker, (tx) => changeRefund(tx, id, change, NOW))
  }
  return id
}

/** What stands in the counters of a payment. */
export async function countersOf(book: Book, paymentId: string) {
  const [row] = await run<{ reserved: number; refunded: number; settled: number }>(
    book.owner,
    `select reserved_fen as reserved, refunded_fen as refunded, settled_fen as settled
     from payments where id = $1`,
    [paymentId],
  )
  return row
}

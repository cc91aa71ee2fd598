import type { Envelope } from './envelope.js'
import type { NewFact, StoredFact } from './inbox.js'
import { only, sql, type Queryable } from './pool.js'

/** A notification as it arrived. */
export interface RawMessage {
  readonly body: Uint8Array
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
}

/** Only these are kept: what describes the bytes, and nothing that could be a credential. */
const KEPT_HEADERS = ['content-encoding', 'content-type', 'user-agent'] as const
const HEADER_LENGTH_MAX = 256

const context = (inboxId: string): string => `inbox:${inboxId}:body`

const STORE = sql(
  'inbox_store_notification',
  `select inbox_id as id, was_applied as applied, seen as "timesSeen"
   from store_notification($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
)

/**
 * Stores what a verified notification says, and its bytes encrypted beside it; one that is known
 * already is only counted. One round trip, one transaction.
 */
export async function storeNotification(
  db: Queryable,
  envelope: Envelope,
  fact: Omit<NewFact, 'source'>,
  raw: RawMessage,
): Promise<StoredFact> {
  return only(
    await db.rows<StoredFact>(STORE, [
      fact.id,
      fact.accountId,
      fact.kind,
      fact.businessKey,
      fact.subjectId,
      fact.verifiedBy,
      JSON.stringify(fact.fact),
      fact.now,
      JSON.stringify(keptHeaders(raw.headers)),
      envelope.seal(Buffer.from(raw.body), context(fact.id)),
    ]),
  )
}

/** What a payment's notification is about, as its row has it. */
export interface NotifiedPayment {
  readonly id: string
  readonly merchantId: string
  readonly outTradeNo: string
  readonly orderRef: string | null
  readonly totalFen: number
  readonly expiresAt: Date
  /** The fact that was stored or counted; null for a payment of another app. */
  readonly inboxId: string | null
  readonly applied: boolean
}

const STORE_OF_PAYMENT = sql(
  'inbox_store_payment_notification',
  `select payment_id as id, merchant_id as "merchantId", $3::text as "outTradeNo",
     order_ref as "orderRef", total_fen as "totalFen", expires_at as "expiresAt",
     inbox_id as "inboxId", coalesce(was_applied, false) as applied
   from store_payment_notification($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
)

/**
 * Finds the payment of this account and number and stores what a verified notification says of it,
 * like `storeNotification`, in the same round trip: the answer waits for nothing else. Undefined
 * where the account has no such number; of another app's payment nothing is stored.
 */
export async function storePaymentNotification(
  db: Queryable,
  envelope: Envelope,
  told: Pick<NewFact, 'id' | 'accountId' | 'businessKey' | 'fact' | 'now'> & {
    readonly outTradeNo: string
    readonly appId: string
  },
  raw: RawMessage,
): Promise<NotifiedPayment | undefined> {
  const [row] = await db.rows<NotifiedPayment>(STORE_OF_PAYMENT, [
    told.id,
    told.accountId,
    told.outTradeNo,
    told.appId,
    told.businessKey,
    JSON.stringify(told.fact),
    told.now,
    JSON.stringify(keptHeaders(raw.headers)),
    envelope.seal(Buffer.from(raw.body), context(told.id)),
  ])
  return row
}

function keptHeaders(headers: RawMessage['headers']): Record<string, string> {
  return Object.fromEntries(
    KEPT_HEADERS.flatMap((name) => {
      const value = headers[name]
      return typeof value === 'string' ? [[name, value.slice(0, HEADER_LENGTH_MAX)]] : []
    }),
  )
}

const FIND = sql(
  'inbox_bodies_find',
  'select received_at as "receivedAt", headers, ciphertext from inbox_bodies where inbox_id = $1',
)

/** The bytes behind a stored fact, or undefined when they are past their time or erased. */
export async function findRawMessage(
  db: Queryable,
  envelope: Envelope,
  inboxId: string,
): Promise<{ receivedAt: Date; headers: Record<string, string>; body: Buffer } | undefined> {
  const [row] = await db.rows<{
    receivedAt: Date
    headers: Record<string, string>
    ciphertext: Buffer
  }>(FIND, [inboxId])
  return (
    row && {
      receivedAt: row.receivedAt,
      headers: row.headers,
      body: envelope.open(row.ciphertext, context(inboxId)),
    }
  )
}

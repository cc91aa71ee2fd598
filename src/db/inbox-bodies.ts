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

import { only, sql, type Queryable } from '../db/pool.js'

/** A seal as whoever keeps it elsewhere needs it: what it says, and how to check who says it. */
export interface Head {
  readonly sealNo: number
  /** How many entries and lines of the audit log were sealed then. */
  readonly lastSeq: number
  readonly hash: Buffer
  readonly keyId: string
  /** Ed25519, 32 bytes. */
  readonly publicKey: Buffer
  readonly signature: Buffer
  readonly sealedAt: Date
}

const COLUMNS = `seal_no as "sealNo", last_seq as "lastSeq", hash, key_id as "keyId",
  public_key as "publicKey", signature, sealed_at as "sealedAt"`

const HEAD = sql(
  'seals_head',
  `select ${COLUMNS} from seals join seal_keys using (key_id) order by seal_no desc limit 1`,
)

/** The last seal, or undefined where nothing was sealed yet. */
export async function ledgerHead(db: Queryable): Promise<Head | undefined> {
  return (await db.rows<Head>(HEAD, []))[0]
}

const OF_DAY = sql(
  'seals_head_of_day',
  `select ${COLUMNS} from seals join seal_keys using (key_id)
   where sealed_at >= $1::date::timestamp at time zone 'Asia/Shanghai'
     and sealed_at < ($1::date + 1)::timestamp at time zone 'Asia/Shanghai'
   order by sealed_at desc, seal_no desc limit 1`,
)

/**
 * The last seal of a Beijing day, or undefined where nothing was sealed on it.
 * @param day like `2026-03-01`
 */
export async function ledgerHeadOfDay(db: Queryable, day: string): Promise<Head | undefined> {
  return (await db.rows<Head>(OF_DAY, [day]))[0]
}

// Most ids begin with the time they were made at, so the first of them is about the oldest.
const OLDEST = sql(
  'unsealed_oldest',
  `select least(
     (select min(recorded_at)
      from (select entry_id from journal_unsealed order by entry_id limit 1) as first
        join journal_transfers using (entry_id)),
     (select recorded_at
      from (select id from audit_unsealed order by id limit 1) as first join audit using (id))
   ) as "recordedAt"`,
)

/** When the oldest of all that waits for a seal was recorded, or undefined where nothing waits. */
export async function oldestUnsealedAt(db: Queryable): Promise<Date | undefined> {
  const { recordedAt } = only(await db.rows<{ recordedAt: Date | null }>(OLDEST, []))
  return recordedAt ?? undefined
}

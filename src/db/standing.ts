import { only, sql, type Queryable } from './pool.js'

const UNDELIVERED = sql(
  'standing_inbox',
  'select count(*) as count from inbox where applied_at is null and stored_at < $1',
)

/** How many stored facts, older than an instant, no workflow has applied. */
export async function countUndelivered(db: Queryable, before: Date): Promise<number> {
  return only(await db.rows<{ count: number }>(UNDELIVERED, [before])).count
}

/** The oldest refund of a state in which it waits for somebody. */
export interface OldestRefund {
  readonly state: string
  readonly oldestAt: Date
}

const OLDEST = sql(
  'standing_refunds',
  `select state, min(created_at) as "oldestAt" from refunds
   where state in ('pending', 'approved', 'refunding', 'needs_attention') and state <> 'done'
   group by state`,
)

/** Since when the oldest refund of each open state stands; by the index of what is not done. */
export async function oldestRefunds(db: Queryable): Promise<OldestRefund[]> {
  return db.rows<OldestRefund>(OLDEST, [])
}

export interface CertificateExpiry {
  readonly mchId: string
  readonly notAfter: Date
}

const CERTIFICATES = sql(
  'standing_certificates',
  `select distinct on (a.mch_id) a.mch_id as "mchId", c.not_after as "notAfter"
   from credential_versions c join channel_accounts a on a.id = c.account_id
   where c.kind = 'merchant_certificate' and c.state = 'active' and c.not_after is not null
   order by a.mch_id, c.version desc`,
)

/** Until when the newest certificate of each merchant number is good. */
export async function certificateExpiries(db: Queryable): Promise<CertificateExpiry[]> {
  return db.rows<CertificateExpiry>(CERTIFICATES, [])
}

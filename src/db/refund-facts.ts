import type { RefundFact } from '../domain/channel.js'
import { queriedFactKey } from '../domain/refund.js'
import { newId } from './ids.js'
import { storeFact, type StoredFact } from './inbox.js'
import { sql, type Queryable } from './pool.js'
import type { RefundRow } from './refunds.js'

/** A query's answer takes the same door as a notification: a row first. */
export async function storeQueriedRefund(
  db: Queryable,
  refund: Pick<
    RefundRow,
    'id' | 'accountId' | 'outRefundNo' | 'submitCount' | 'amountFen' | 'totalFen'
  >,
  fact: RefundFact,
  now: Date,
): Promise<StoredFact> {
  return storeFact(db, {
    id: newId(now),
    accountId: refund.accountId,
    kind: 'refund',
    businessKey: queriedFactKey(refund, fact),
    subjectId: refund.id,
    source: 'query',
    verifiedBy: 'query',
    fact,
    now,
  })
}

const QUERIED = sql(
  'inbox_queried_of',
  `select 1 from inbox where subject_id = $1 and source = 'query' and applied_at is null limit 1`,
)

/** True when the channel's own word about a subject waits to be applied. */
export async function hasQueriedFact(db: Queryable, subjectId: string): Promise<boolean> {
  return (await db.rows(QUERIED, [subjectId])).length > 0
}

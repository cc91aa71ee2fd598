import type { RefundNotice } from '../domain/channel.js'
import { newId } from './ids.js'
import { storeFact } from './inbox.js'
import type { PaymentRow } from './payments.js'
import { sql, type Queryable } from './pool.js'

/** An order has refunds, and some of them may have no row here. */
interface RefundsShown {
  readonly kind: 'refunds_shown'
  readonly outTradeNo: string
}

/** A notification about a refund that has no row here, or a query that shows some. */
export interface ExternalNotice {
  readonly id: string
  readonly accountId: string
  readonly fact: RefundNotice | RefundsShown
}

/** Notes that a query shows refunds of a payment; each query is looked into once. */
export async function noteRefundsShown(
  db: Queryable,
  { accountId, outTradeNo }: Pick<PaymentRow, 'accountId' | 'outTradeNo'>,
  now: Date,
): Promise<void> {
  const fact: RefundsShown = { kind: 'refunds_shown', outTradeNo }
  await storeFact(db, {
    id: newId(now),
    accountId,
    kind: 'external',
    businessKey: `${outTradeNo}:refunds:${now.toISOString()}`,
    subjectId: accountId,
    source: 'query',
    verifiedBy: 'query',
    fact,
    now,
  })
}

/** The wait before a notice is looked at again, which doubles each time. */
const PATIENCE_SECONDS = 60

const CLAIM = sql(
  'inbox_claim_external',
  `update inbox set resent_at = $1, resent_count = resent_count + 1
   where id in (
     select id from inbox
     where kind = 'external' and applied_at is null and (resent_at is null or resent_at
       < $1::timestamptz - make_interval(secs => $2::int * 2 ^ least(resent_count, 9)))
     order by stored_at limit $3 for update skip locked)
   returning id, account_id as "accountId", fact`,
)

/** Takes notices of refunds from the portal whose turn it is, so that no other worker does. */
export async function claimExternalNotices(
  db: Queryable,
  now: Date,
  limit: number,
): Promise<ExternalNotice[]> {
  return db.rows<ExternalNotice>(CLAIM, [now, PATIENCE_SECONDS, limit])
}

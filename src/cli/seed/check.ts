import { only, type Queryable } from '../../db/pool.js'

/** What a book comes to, counted by the database after loading. */
export interface Count {
  readonly payments: number
  readonly refunds: number
  readonly transfers: number
  readonly entries: number
  readonly seals: number
  readonly events: number
  readonly auditLines: number
  /** What has no seal, entry or line: nothing, unless something else posts at the same time. */
  readonly unsealed: number
}

const COUNT = {
  text: `select
    (select count(*) from payments where merchant_id = $1) as payments,
    (select count(*) from refunds where merchant_id = $1) as refunds,
    (select count(*) from journal_transfers where merchant_id = $1) as transfers,
    (select count(*) from journal_order where kind = 'entry') as entries,
    (select count(*) from seals) as seals,
    (select count(*) from outbox) as events,
    (select count(*) from audit where merchant_id = $1) as "auditLines",
    (select count(*) from journal_unsealed) + (select count(*) from audit_unsealed) as unsealed`,
}

/** Payments whose three sums are not those of their refunds. */
const WRONG_SUMS = {
  text: `with sums as (
      select r.payment_id,
        sum(r.amount_fen) filter (where e.bucket = 'reserved') as reserved,
        sum(r.amount_fen) filter (where e.bucket = 'refunded') as refunded,
        sum(r.amount_fen) filter (where e.bucket = 'settled') as settled
      from refunds r join refund_effects e on e.state = r.state
      where r.merchant_id = $1 group by r.payment_id)
    select count(*) as wrong from payments p left join sums s on s.payment_id = p.id
    where p.merchant_id = $1 and (p.reserved_fen, p.refunded_fen, p.settled_fen)
      is distinct from (coalesce(s.reserved, 0), coalesce(s.refunded, 0), coalesce(s.settled, 0))`,
}

/** Money that arrived and is not in the book, or the other way round. */
const WRONG_ENTRIES = {
  text: `select (
      (select coalesce(sum(paid_fen), 0) from payments
       where merchant_id = $1 and disposition = 'accepted')
      - (select coalesce(sum(amount_fen), 0) from journal_transfers
         where merchant_id = $1 and rule = 'P1'))::bigint as wrong`,
}

interface Wrong {
  readonly wrong: number
}

/**
 * Looks at a loaded book as a stranger would.
 * @throws Error naming the first thing that is not as it must be
 */
export async function checkBook(
  db: Queryable,
  merchantId: string,
  expected: { readonly payments: number; readonly refunds: number },
): Promise<Count> {
  const wrong = async (statement: typeof COUNT, values: readonly unknown[]): Promise<boolean> =>
    only(await db.rows<Wrong>(statement, values)).wrong !== 0
  const count = only(await db.rows<Count>(COUNT, [merchantId]))
  if (count.payments !== expected.payments || count.refunds !== expected.refunds) {
    throw new Error(`There are ${count.payments} payments and ${count.refunds} refunds.`)
  }
  if (await wrong(WRONG_SUMS, [merchantId])) {
    throw new Error('The sums of a payment are not those of its refunds.')
  }
  if (await wrong(WRONG_ENTRIES, [merchantId])) {
    throw new Error('What was paid is not what stands in the journal.')
  }
  return count
}

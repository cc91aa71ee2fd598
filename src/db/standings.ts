import { sql, type Queryable } from './pool.js'

/** Where a payment or a refund stands, as one text that changes with it. */
export interface Standing {
  readonly id: string
  readonly standing: string
}

const STANDINGS = sql(
  'standings',
  `select id, concat_ws(':', state, disposition) as standing from payments
   where id = any($1::uuid[])
   union all
   select id, concat_ws(':', state, cause) from refunds where id = any($1::uuid[])`,
)

/** Where these payments and refunds stand, in one statement for all. */
export async function standingsOf(db: Queryable, ids: readonly string[]): Promise<Standing[]> {
  return db.rows<Standing>(STANDINGS, [ids])
}

/** The same text of a row that was read. */
export const paymentStanding = (row: {
  readonly state: string
  readonly disposition: string | null
}): string => standing(row.state, row.disposition)

export const refundStanding = (row: {
  readonly state: string
  readonly cause: string | null
}): string => standing(row.state, row.cause)

const standing = (state: string, detail: string | null): string =>
  detail === null ? state : `${state}:${detail}`

import type { Envelope } from './envelope.js'
import { only, sql, type Queryable } from './pool.js'

/**
 * What finds the payments of a buyer again without naming anybody: the openid stands nowhere in
 * clear. The merchant is part of it, so that rows of two merchants never show one person.
 */
export const payerRef = (envelope: Envelope, merchantId: string, openid: string): Buffer =>
  envelope.keyedHash(`${merchantId}:${openid}`, 'yuanlu payer_ref')

export interface KnownOfPayer {
  /** Payments that are over, so that their payer can be erased. */
  readonly over: number
  /** Payments whose order may still have to be placed again. */
  readonly open: number
  /** Raw notifications of those that are over, and of their refunds. */
  readonly bodies: number
}

const KNOWN = sql(
  'payers_known',
  `with mine as (select id, state in ('paid', 'closed', 'failed') as over from payments
     where merchant_id = $1 and payer_ref = $2),
   subjects as (select id from mine where over
     union all select r.id from refunds r join mine on mine.id = r.payment_id where mine.over)
   select (select count(*) filter (where over) from mine) as over,
     (select count(*) filter (where not over) from mine) as open,
     (select count(*) from inbox_bodies b join inbox i on i.id = b.inbox_id
      where i.subject_id in (select id from subjects)) as bodies`,
)

/** What is stored of a payer. Needs the owner's role. */
export async function knownOfPayer(
  db: Queryable,
  merchantId: string,
  ref: Buffer,
): Promise<KnownOfPayer> {
  return only(await db.rows<KnownOfPayer>(KNOWN, [merchantId, ref]))
}

const ERASE = sql('payers_erase', 'select payments, bodies from erase_payer($1, $2, $3, $4)')

/**
 * Takes a payer out of at most `limit` payments that are over, and out of what was stored of their
 * notifications; the book is not touched. Needs the owner's role.
 */
export async function erasePayer(
  db: Queryable,
  payer: {
    readonly merchantId: string
    readonly ref: Buffer
    readonly limit: number
    readonly now: Date
  },
): Promise<{ payments: number; bodies: number }> {
  const { merchantId, ref, limit, now } = payer
  return only(
    await db.rows<{ payments: number; bodies: number }>(ERASE, [merchantId, ref, limit, now]),
  )
}

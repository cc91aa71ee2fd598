import { randomUUID } from 'node:crypto'

import { insertAccount, insertMerchant } from '../../src/db/merchants.js'
import type { Database } from '../../src/db/pool.js'

const MERCHANT_ID = 'bench-shop'
const MCH_ID = '1900000009'
const APP_ID = 'wx1900000009'
export const TOTAL_FEN = 1_000

/** A payment that waits for its buyer's money, and the fact that says it has come. */
export interface Waiting {
  readonly paymentId: string
  readonly factId: string
  readonly transactionId: string
}

export interface Parties {
  readonly merchantId: string
  readonly accountId: string
  readonly mchId: string
}

export async function insertParties(owner: Database): Promise<Parties> {
  const now = new Date()
  const accountId = randomUUID()
  await insertMerchant(owner, { id: MERCHANT_ID, name: 'Bench', operatorLimitFen: 0, now })
  await insertAccount(owner, {
    id: accountId,
    merchantId: MERCHANT_ID,
    mode: 'sandbox',
    mchId: MCH_ID,
    signType: 'MD5',
    opUserId: MCH_ID,
    shortName: 'Bench',
    notifyToken: randomUUID(),
    timeScale: 1,
    appIds: [APP_ID],
    now,
  })
  return { merchantId: MERCHANT_ID, accountId, mchId: MCH_ID }
}

const PAYMENTS = `insert into payments (id, merchant_id, account_id, api_version, mch_id, app_id,
    out_trade_no, order_ref, description, state, total_fen, prepay_id, prepay_at, channel_request,
    payer_ref, expires_at, due_at, created_at, updated_at)
  select uuidv7(), $1, $2, 'v2', $3, $4, 'P' || lpad((n + $6)::text, 22, '0'), 'SO' || n + $6,
    'bench', 'awaiting_payment', $7, 'wx' || n, now(), convert_to(repeat('x', 450), 'UTF8'),
    sha256(convert_to(n::text, 'UTF8')), now() + interval '30 min', now() + interval '5 min', now(),
    now()
  from generate_series(1, $5::int) n`

const FACTS = `insert into inbox (id, account_id, kind, business_key, subject_id, source,
    verified_by, fact, stored_at, signalled_at)
  select uuidv7(), account_id, 'payment', out_trade_no || ':paid', id, 'notify', 'signature',
    jsonb_build_object('kind', 'paid', 'appId', app_id, 'mchId', mch_id,
      'outTradeNo', out_trade_no, 'transactionId', '42' || out_trade_no, 'currency', 'CNY',
      'totalFen', total_fen, 'cashFen', total_fen, 'settlementFen', total_fen,
      'paidAt', to_char(now() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')), now(), now()
  from payments p where state = 'awaiting_payment'
    and not exists (select from inbox where subject_id = p.id)`

const WAITING = `select p.id as "paymentId", i.id as "factId",
    '42' || out_trade_no as "transactionId"
  from payments p join inbox i on i.subject_id = p.id where state = 'awaiting_payment'
  order by p.id`

/** Prepares so many payments whose money has come, and takes them out of autovacuum's way. */
export async function prepareWaiting(
  owner: Database,
  parties: Parties,
  count: number,
): Promise<Waiting[]> {
  const { merchantId, accountId, mchId } = parties
  const values = [merchantId, accountId, mchId, APP_ID, count, 0, TOTAL_FEN]
  await owner.rows({ text: PAYMENTS }, values)
  await owner.rows({ text: FACTS }, [])
  await owner.rows({ text: 'vacuum analyze payments' }, [])
  await owner.rows({ text: 'vacuum analyze inbox' }, [])
  return owner.rows<Waiting>({ text: WAITING }, [])
}

import { sql, type Queryable } from './pool.js'

export interface AccountRow {
  readonly id: string
  readonly merchantId: string
  readonly mode: 'live' | 'sandbox'
  readonly mchId: string
  readonly signType: 'MD5' | 'HMAC-SHA256'
  readonly opUserId: string
  readonly shortName: string
  readonly notifyToken: string
  readonly timeScale: number
  readonly appIds: readonly string[]
  readonly operatorLimitFen: number
  /** A shop of one may approve what it asked for itself. */
  readonly selfApproval: boolean
  /** What a day's approvals may come to, by the policy of now; null without a limit. */
  readonly dayLimitFen: number | null
  readonly personDayLimitFen: number | null
}

const ACCOUNTS = `select a.id, a.merchant_id as "merchantId", a.mode, a.mch_id as "mchId",
  a.sign_type as "signType", a.op_user_id as "opUserId", a.short_name as "shortName",
  a.notify_token as "notifyToken", a.time_scale as "timeScale",
  array(select app_id from channel_apps where account_id = a.id order by app_id) as "appIds",
  m.engine_operator_limit_fen as "operatorLimitFen", m.self_approval as "selfApproval",
  p.day_limit_fen as "dayLimitFen", p.person_day_limit_fen as "personDayLimitFen"
  from channel_accounts a join merchants m on m.id = a.merchant_id
  left join lateral (select day_limit_fen, person_day_limit_fen from approval_policies
    where merchant_id = m.id order by version desc limit 1) p on true`

const BY_ID = sql('accounts_by_id', `${ACCOUNTS} where a.id = $1`)
const BY_TOKEN = sql('accounts_by_token', `${ACCOUNTS} where a.notify_token = $1`)
const BY_MERCHANT = sql(
  'accounts_by_merchant',
  `${ACCOUNTS} where a.merchant_id = $1 order by a.created_at, a.id`,
)

export async function findAccount(db: Queryable, id: string): Promise<AccountRow | undefined> {
  return (await db.rows<AccountRow>(BY_ID, [id]))[0]
}

/** The account behind a notify URL; the token is unguessable and the only thing known of it. */
export async function findAccountByToken(
  db: Queryable,
  token: string,
): Promise<AccountRow | undefined> {
  return (await db.rows<AccountRow>(BY_TOKEN, [token]))[0]
}

export async function accountsOf(db: Queryable, merchantId: string): Promise<AccountRow[]> {
  return db.rows<AccountRow>(BY_MERCHANT, [merchantId])
}

export interface NewMerchant {
  readonly id: string
  readonly name: string
  readonly operatorLimitFen: number
  readonly now: Date
}

export interface NewAccount {
  readonly id: string
  readonly merchantId: string
  readonly mode: 'live' | 'sandbox'
  readonly mchId: string
  readonly signType: 'MD5' | 'HMAC-SHA256'
  readonly opUserId: string
  readonly shortName: string
  readonly notifyToken: string
  readonly timeScale: number
  readonly appIds: readonly string[]
  readonly now: Date
}

const INSERT_MERCHANT = sql(
  'merchants_insert',
  `insert into merchants (id, name, engine_operator_limit_fen, created_at)
   values ($1, $2, $3, $4)`,
)
const INSERT_ACCOUNT = sql(
  'accounts_insert',
  `insert into channel_accounts (id, merchant_id, mode, api_version, mch_id, sign_type,
     op_user_id, short_name, notify_token, time_scale, created_at)
   values ($1, $2, $3, 'v2', $4, $5, $6, $7, $8, $9, $10)`,
)
const INSERT_APPS = sql(
  'apps_insert',
  `insert into channel_apps (account_id, app_id) select $1, unnest($2::text[])`,
)

/** Only the owner's role may add merchants. */
export async function insertMerchant(db: Queryable, merchant: NewMerchant): Promise<void> {
  const { id, name, operatorLimitFen, now } = merchant
  await db.rows(INSERT_MERCHANT, [id, name, operatorLimitFen, now])
}

/** Adds a channel account with its apps; in a transaction, or a half of it may stay. */
export async function insertAccount(db: Queryable, account: NewAccount): Promise<void> {
  await db.rows(INSERT_ACCOUNT, [
    account.id,
    account.merchantId,
    account.mode,
    account.mchId,
    account.signType,
    account.opUserId,
    account.shortName,
    account.notifyToken,
    account.timeScale,
    account.now,
  ])
  await db.rows(INSERT_APPS, [account.id, account.appIds])
}

const LIVE = sql('accounts_live', `select 1 from channel_accounts where mode = 'live' limit 1`)

/** True when at least one account moves real money. */
export async function hasLiveAccount(db: Queryable): Promise<boolean> {
  return (await db.rows(LIVE, [])).length > 0
}

const KNOWN = sql('merchants_known', 'select 1 from merchants where id = $1')

export async function isMerchantKnown(db: Queryable, merchantId: string): Promise<boolean> {
  return (await db.rows(KNOWN, [merchantId])).length > 0
}

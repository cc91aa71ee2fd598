import { createHash, randomBytes } from 'node:crypto'
import { sql, type Queryable } from './pool.js'

export const SCOPES = [
  'payments:write',
  'payments:read',
  'refunds:request',
  'refunds:decide',
  'refunds:read',
  'cases:read',
  'ledger:read',
  'merchants:read',
  'merchants:write',
  'audit:read',
  'webhooks:read',
  'webhooks:write',
] as const
export type Scope = (typeof SCOPES)[number]

export interface ApiKeyRow {
  readonly id: string
  readonly merchantId: string
  readonly name: string
  readonly scopes: readonly Scope[]
}

const PREFIX = 'yk_'

/** A key is 256 random bits, so a plain hash of it is enough to keep. */
const hashOf = (key: string): Buffer => createHash('sha256').update(key).digest()

const FIND = sql(
  'api_keys_find',
  `select id, merchant_id as "merchantId", name, scopes from api_keys
   where key_hash = $1 and revoked_at is null`,
)
const INSERT = sql(
  'api_keys_insert',
  `insert into api_keys (id, merchant_id, name, key_hash, scopes, created_at)
   values ($1, $2, $3, $4, $5, $6)`,
)

export async function findApiKey(db: Queryable, key: string): Promise<ApiKeyRow | undefined> {
  if (!key.startsWith(PREFIX)) return undefined
  return (await db.rows<ApiKeyRow>(FIND, [hashOf(key)]))[0]
}

/** Makes a key and answers it: the only time it is seen. Only the owner's role may. */
export async function createApiKey(
  db: Queryable,
  key: {
    readonly id: string
    readonly merchantId: string
    readonly name: string
    readonly scopes: readonly Scope[]
    readonly now: Date
  },
): Promise<string> {
  const secret = PREFIX + randomBytes(32).toString('base64url')
  await db.rows(INSERT, [key.id, key.merchantId, key.name, hashOf(secret), key.scopes, key.now])
  return secret
}

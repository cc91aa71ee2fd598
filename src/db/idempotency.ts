import { only, sql } from './pool.js'
import type { Transaction } from './transaction.js'

export interface IdempotencyKey {
  readonly merchantId: string
  /** The API key that asks: two programs may use the same words. */
  readonly clientId: string
  readonly route: string
  readonly key: string
  readonly requestHash: Buffer
  readonly objectId: string
  readonly now: Date
}

export type Claim =
  | { readonly kind: 'new' }
  | { readonly kind: 'known'; readonly objectId: string }
  | { readonly kind: 'conflict' }

const INSERT = sql(
  'idempotency_insert',
  `insert into idempotency_keys (merchant_id, client_id, route, key, request_hash, object_id,
     created_at)
   values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing returning object_id`,
)
const FIND = sql(
  'idempotency_find',
  `select request_hash as "requestHash", object_id as "objectId" from idempotency_keys
   where merchant_id = $1 and client_id = $2 and route = $3 and key = $4`,
)

/**
 * Claims a key in the same transaction as its object. A key that is being claimed elsewhere is
 * waited for; the same request then finds the first object, another one a conflict.
 */
export async function claimIdempotencyKey(tx: Transaction, claim: IdempotencyKey): Promise<Claim> {
  const { merchantId, clientId, route, key, requestHash, objectId, now } = claim
  const inserted = await tx
    .lock('idempotencyKey')
    .rows(INSERT, [merchantId, clientId, route, key, requestHash, objectId, now])
  if (inserted.length > 0) return { kind: 'new' }
  const known = only(
    await tx.rows<{ requestHash: Buffer; objectId: string }>(FIND, [
      merchantId,
      clientId,
      route,
      key,
    ]),
  )
  return known.requestHash.equals(requestHash)
    ? { kind: 'known', objectId: known.objectId }
    : { kind: 'conflict' }
}

import { randomBytes } from 'node:crypto'

import { createApiKey } from '../../db/api-keys.js'
import { insertAccount, insertMerchant } from '../../db/merchants.js'
import type { Queryable } from '../../db/pool.js'
import type { Draw } from './draw.js'
import type { Shop } from './shop.js'

const NOTIFY_TOKEN_BYTES = 16

/** Chooses the merchant of a book; only its secrets are not the same every time. */
export function drawShop(draw: Draw, merchantId: string, now: Date): Shop {
  const mchId = `19${draw.digits(8)}`
  return {
    merchantId,
    accountId: draw.uuid(now),
    mchId,
    appId: `wx${draw.digits(16)}`,
    notifyToken: randomBytes(NOTIFY_TOKEN_BYTES).toString('base64url'),
    shortName: '原路小店',
    askingKeyId: draw.uuid(now),
    decidingKeyId: draw.uuid(now),
  }
}

/** Writes the merchant with a sandbox account and two API keys that nobody is told. */
export async function openShop(db: Queryable, shop: Shop, now: Date): Promise<void> {
  const { merchantId, accountId, mchId, appId, notifyToken, shortName } = shop
  await insertMerchant(db, { id: merchantId, name: shortName, operatorLimitFen: 0, now })
  await insertAccount(db, {
    id: accountId,
    merchantId,
    mode: 'sandbox',
    mchId,
    signType: 'MD5',
    opUserId: mchId,
    shortName,
    notifyToken,
    timeScale: 1,
    appIds: [appId],
    now,
  })
  const asks = ['payments:write', 'payments:read', 'refunds:request', 'refunds:read'] as const
  const decides = ['refunds:decide', 'refunds:read', 'payments:read'] as const
  await createApiKey(db, { id: shop.askingKeyId, merchantId, name: 'shop', scopes: asks, now })
  await createApiKey(db, {
    id: shop.decidingKeyId,
    merchantId,
    name: 'office',
    scopes: decides,
    now,
  })
}

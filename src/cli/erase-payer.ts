import { hasOtherMasterKey } from '../db/credentials.js'
import type { Envelope } from '../db/envelope.js'
import { isMerchantKnown } from '../db/merchants.js'
import { erasePayer, knownOfPayer, payerRef } from '../db/payers.js'
import type { Database } from '../db/pool.js'
import { InputError } from './merchant-input.js'

/** Payments of one transaction, so that none of them is locked for long. */
const BATCH_MAX = 200
const OPENID = /^[0-9A-Za-z_-]{1,128}$/

export interface Erasure {
  readonly isDryRun: boolean
  /** Payments whose buyer is erased now, or would be. */
  readonly payments: number
  /** Raw notifications of them and of their refunds. */
  readonly bodies: number
  /** Payments of the buyer that are not over, and keep what an order needs. */
  readonly open: number
}

/**
 * Erases a buyer from the payments of a merchant that are over: from the sealed order, from the
 * hash that finds it, and from the raw notifications. Journal, states and amounts stay, and a
 * refund needs none of what goes. Needs the owner's role.
 * @throws InputError for an unknown merchant, an openid that cannot be one, or a master key that is
 * not the merchant's: with it the buyer would not be found, and seem to be gone
 */
export async function erasePayerOf(
  database: Database,
  envelope: Envelope,
  payer: { readonly merchantId: string; readonly openid: string; readonly isDryRun: boolean },
): Promise<Erasure> {
  const { merchantId, openid, isDryRun } = payer
  if (!OPENID.test(openid)) throw new InputError('This cannot be an openid.')
  if (!(await isMerchantKnown(database, merchantId))) {
    throw new InputError('There is no merchant of this id.')
  }
  if (await hasOtherMasterKey(database, envelope, merchantId)) {
    throw new InputError('The secrets of this merchant are sealed with another master key.')
  }
  const ref = payerRef(envelope, merchantId, openid)
  if (isDryRun) {
    const { over, bodies, open } = await knownOfPayer(database, merchantId, ref)
    return { isDryRun, payments: over, bodies, open }
  }
  const done = await eraseInBatches(database, merchantId, ref)
  const { open } = await knownOfPayer(database, merchantId, ref)
  return { isDryRun, ...done, open }
}

async function eraseInBatches(
  database: Database,
  merchantId: string,
  ref: Buffer,
): Promise<{ payments: number; bodies: number }> {
  const now = new Date()
  const total = { payments: 0, bodies: 0 }
  for (;;) {
    const done = await erasePayer(database, { merchantId, ref, limit: BATCH_MAX, now })
    total.payments += done.payments
    total.bodies += done.bodies
    if (done.payments === 0) return total
  }
}

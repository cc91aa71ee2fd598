import { createHash } from 'node:crypto'

import type { Envelope } from '../../db/envelope.js'
import type { Draw } from './draw.js'

/** The one merchant of a seeded book, with its account and the keys of its two programs. */
export interface Shop {
  readonly merchantId: string
  readonly accountId: string
  readonly mchId: string
  readonly appId: string
  readonly notifyToken: string
  readonly shortName: string
  /** The API key of the shop, which creates payments and asks for refunds. */
  readonly askingKeyId: string
  /** The API key of the office, which decides. */
  readonly decidingKeyId: string
}

export interface Buyer {
  readonly openid: string
  readonly ip: string
}

/** What stories are made with. */
export interface Teller {
  readonly draw: Draw
  readonly shop: Shop
  readonly envelope: Envelope
  /** How many people buy; some of them come often. */
  readonly buyers: number
  /** Nothing happens in a book after this. */
  readonly until: Date
}

/** A buyer is found again by number: the same one has the same openid every time. */
export function drawBuyer({ draw, shop, buyers }: Teller): Buyer {
  const number = Math.min(draw.below(buyers), draw.below(buyers))
  const hash = createHash('sha256').update(`${shop.merchantId} ${number}`).digest()
  return {
    openid: `o${hash.toString('base64url').slice(0, 27)}`,
    // Addresses that documentation may use (RFC 5737), so that they are nobody's.
    ip: `203.0.113.${hash.readUInt8(31)}`,
  }
}

import type { PlaceOrder } from '../domain/channel.js'
import type { Envelope } from './envelope.js'

const context = (paymentId: string): string => `payment:${paymentId}:channel_request`

/** Seals the canonical request of a payment: it names the payer, so it is never kept in clear. */
export const sealChannelRequest = (
  envelope: Envelope,
  paymentId: string,
  request: PlaceOrder,
): Buffer => envelope.seal(JSON.stringify(request), context(paymentId))

/** @throws Error when the bytes were sealed for another payment or with another key. */
export const openChannelRequest = (
  envelope: Envelope,
  paymentId: string,
  sealed: Buffer,
): PlaceOrder =>
  JSON.parse(envelope.open(sealed, context(paymentId)).toString('utf8')) as PlaceOrder

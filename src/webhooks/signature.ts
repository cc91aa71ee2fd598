import { randomBytes } from 'node:crypto'
import { Webhook } from 'standardwebhooks'

const PREFIX = 'whsec_'
const SECRET_BYTES = 32

/** A new secret in the form of the Standard Webhooks specification. */
export const newWebhookSecret = (): string => PREFIX + randomBytes(SECRET_BYTES).toString('base64')

export interface SignedMessage {
  /** The event's id: the same in every try, so that the receiver knows what it has seen. */
  readonly id: string
  /** The instant of this try, which the receiver compares with its clock. */
  readonly at: Date
  readonly body: string
}

/**
 * The headers of the Standard Webhooks specification: one signature for each secret, so that a
 * receiver verifies with the old one or the new one while they are exchanged.
 */
export function signedHeaders(
  { id, at, body }: SignedMessage,
  secrets: readonly string[],
): Record<string, string> {
  return {
    'content-type': 'application/json',
    'user-agent': 'Yuanlu-Webhooks/1',
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(at.getTime() / 1_000)),
    'webhook-signature': secrets.map((secret) => new Webhook(secret).sign(id, at, body)).join(' '),
  }
}

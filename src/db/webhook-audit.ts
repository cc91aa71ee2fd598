import { newId } from './ids.js'
import { sql } from './pool.js'
import type { Transaction } from './transaction.js'

export type EndpointAction =
  | 'webhook_endpoint.create'
  | 'webhook_endpoint.change'
  | 'webhook_endpoint.delete'
  | 'webhook_endpoint.rotate_secret'

const INSERT = sql(
  'webhook_audit_insert',
  `insert into audit (id, merchant_id, at, actor_kind, actor_id, action, subject_kind, detail)
   values ($1, $2, $3, 'api_key', $4, $5, 'merchant', $6)`,
)

/** Writes down who changed where a merchant's events go. */
export function auditEndpoint(
  tx: Transaction,
  line: {
    readonly merchantId: string
    /** The API key. */
    readonly clientId: string
    readonly action: EndpointAction
    readonly endpointId: string
    /** Never a secret. */
    readonly facts?: Readonly<Record<string, unknown>>
    readonly now: Date
  },
): void {
  const { merchantId, clientId, action, endpointId, facts = {}, now } = line
  const detail = JSON.stringify({ endpointId, ...facts })
  tx.send(INSERT, [newId(now), merchantId, now, clientId, action, detail])
}

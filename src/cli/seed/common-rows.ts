import type { Transfer } from '../../ledger/postings.js'
import type { BatchRows } from './rows.js'
import type { Teller } from './shop.js'

const HASH_BYTES = 32

/** What is written beside a state that changed, as `recordChange` of the ledger does. */
export interface SeededChange {
  readonly type: string
  readonly actor: { readonly kind: 'api_key' | 'channel' | 'engine'; readonly id: string }
  readonly actingUser: string | null
  readonly subjectKind: 'payment' | 'refund'
  readonly subjectId: string
  readonly payload: object
  readonly detail: object
  readonly transfers: readonly Transfer[]
  readonly occurredAt: Date
  readonly at: Date
}

/** An event, a line of the audit log, and an entry where money moved. */
export function addChange(
  rows: BatchRows,
  { draw, shop }: Teller,
  payment: { readonly id: string; readonly sequence: number },
  change: SeededChange,
): void {
  const { type, actor, actingUser, subjectKind, subjectId, payload, detail, at } = change
  const { merchantId } = shop
  rows.outbox.push([draw.uuid(at), payment.id, payment.sequence, type, payload, at])
  const audited = [subjectKind, subjectId, detail] as const
  rows.audit.push([
    draw.uuid(at),
    merchantId,
    at,
    actor.kind,
    actor.id,
    actingUser,
    AUDITED_AS[type] ?? type,
    ...audited,
  ])
  if (change.transfers.length === 0) return
  const entryId = draw.uuid(at)
  for (const { n, rule, debit, credit, amountFen } of change.transfers) {
    const transfer = [entryId, n, rule, debit, credit, amountFen] as const
    const cause = [merchantId, subjectKind, subjectId, change.occurredAt, at] as const
    rows.journal_transfers.push([...transfer, ...cause])
  }
}

/** Asking for a refund stands in the audit log as what was done, all else as what became of it. */
const AUDITED_AS: Readonly<Record<string, string>> = { 'refund.requested': 'refund.request' }

export function addIdempotencyKey(
  rows: BatchRows,
  { draw, shop }: Teller,
  of: { readonly route: string; readonly objectId: string; readonly at: Date },
): void {
  const hash = draw.bytes(HASH_BYTES)
  const client = [shop.merchantId, shop.askingKeyId] as const
  rows.idempotency_keys.push([...client, of.route, draw.uuid(of.at), hash, of.objectId, of.at])
}

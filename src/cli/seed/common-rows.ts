import type { Change } from '../../ledger/record.js'
import type { BatchRows } from './rows.js'
import type { Teller } from './shop.js'

const HASH_BYTES = 32

/** What is written beside a state that changed, as the ledger's `recordChange` writes it. */
export function addChange(rows: BatchRows, { draw }: Teller, change: SequencedChange): void {
  const { type, merchantId, paymentId, sequence, payload, now: at } = change
  const { subjectKind, subjectId, detail } = change
  const { actorKind, actorId, actingUser } = change.actor
  rows.outbox.push([draw.uuid(at), paymentId, sequence, type, payload, at])
  const who = [actorKind, actorId, actingUser] as const
  const action = AUDITED_AS[type] ?? type
  const audited = [action, subjectKind, subjectId, detail, at] as const
  rows.audit.push([draw.uuid(at), merchantId, at, ...who, ...audited])
  if (change.transfers.length === 0) return
  const entryId = draw.uuid(at)
  for (const { n, rule, debit, credit, amountFen } of change.transfers) {
    const transfer = [entryId, n, rule, debit, credit, amountFen] as const
    const cause = [merchantId, subjectKind, subjectId, change.occurredAt, at] as const
    rows.journal_transfers.push([...transfer, ...cause])
  }
}

/** Where the engine counts the events of a payment, the seed knows how many it has told. */
interface SequencedChange extends Change {
  readonly sequence: number
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

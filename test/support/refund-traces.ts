import { journalOf } from '../../src/ledger/journal.js'
import type { Seed } from './seed.js'

/** All that the steps of a refund left behind, in short words. */
export interface RefundTraces {
  readonly journal: string[]
  readonly events: string[]
  readonly audit: string[]
  readonly facts: string[]
}

export async function refundTraces(seed: Seed, refundId: string): Promise<RefundTraces> {
  const lines = await journalOf(seed.owner, [{ kind: 'refund', id: refundId }])
  const events = await seed.look<{ type: string }>(
    `select type from outbox where payload->>'refundId' = $1 order by sequence`,
    refundId,
  )
  // Rows of the audit are never changed, so where they stand is the order they came in.
  const audit = await seed.look<{ action: string; actor: string }>(
    'select action, actor_kind as actor from audit where subject_id = $1 order by at, ctid',
    refundId,
  )
  const facts = await seed.look<{ fact: string }>(
    `select source || ' ' || (fact->>'status') || ' ' || coalesce(outcome, '-') as fact from inbox
     where subject_id = $1 order by stored_at, id`,
    refundId,
  )
  return {
    journal: lines.map(({ rule, n, amountFen }) => `${rule}.${n} ${amountFen}`),
    events: events.map(({ type }) => type),
    audit: audit.map(({ action, actor }) => `${actor} ${action}`),
    facts: facts.map(({ fact }) => fact),
  }
}

import { newId } from '../db/ids.js'
import type { EventType } from '../db/outbox.js'
import { sql } from '../db/pool.js'
import type { Transaction } from '../db/transaction.js'
import { entryValues, insertEntryText } from './journal.js'
import type { Transfer } from './postings.js'

/** Who did something, as far as it can be proved. */
export interface Actor {
  readonly actorKind: 'api_key' | 'temporal-operator' | 'policy' | 'deadline' | 'channel' | 'engine'
  readonly actorId: string
  readonly actingUser: string | null
}

/** What is written beside a state that changed: an event, a line of the audit log, an entry. */
export interface Change {
  readonly type: EventType
  readonly actor: Actor
  readonly merchantId: string
  readonly paymentId: string
  readonly subjectKind: 'payment' | 'refund'
  readonly subjectId: string
  /** What the merchant is told. */
  readonly payload: object
  /** What the audit log keeps. */
  readonly detail: object
  readonly transfers: readonly Transfer[]
  /** When the money moved, which gives the entry its Beijing day. */
  readonly occurredAt: Date
  readonly now: Date
}

/**
 * The common table expressions and the end of a statement that records a change, whose values
 * (`changeValues`) begin at parameter `first`. More may be written in the same statement.
 */
export function changeText(first: number): string {
  const $ = (offset: number): string => `$${first + offset}`
  return `event as (
     insert into outbox (id, subject, sequence, type, payload, created_at)
     select ${$(0)}, ${$(1)}, 1 + coalesce(max(sequence), 0), ${$(2)}, ${$(3)}, ${$(4)}
     from outbox where subject = ${$(1)}
   ), audited as (
     insert into audit (id, merchant_id, at, actor_kind, actor_id, acting_user, action,
       subject_kind, subject_id, detail)
     values (${$(5)}, ${$(6)}, ${$(4)}, ${$(7)}, ${$(8)}, ${$(9)}, ${$(2)}, ${$(10)}, ${$(11)},
       ${$(12)})
   )
   ${insertEntryText(first + 13)}`
}

/** The values of `changeText`, with new ids for the event, the line and the entry. */
export function changeValues(change: Change): readonly unknown[] {
  const { type, actor, merchantId, paymentId, subjectKind, subjectId, now } = change
  const cause = { merchantId, kind: subjectKind, id: subjectId, occurredAt: change.occurredAt }
  return [
    newId(now),
    paymentId,
    type,
    JSON.stringify(change.payload),
    now,
    newId(now),
    merchantId,
    actor.actorKind,
    actor.actorId,
    actor.actingUser,
    subjectKind,
    subjectId,
    JSON.stringify(change.detail),
    ...entryValues({ ...cause, entryId: newId(now) }, change.transfers),
  ]
}

const INSERT = sql('record_change', `with ${changeText(1)}`)

/**
 * Records a change in the transaction that makes it, in one statement. The event's sequence is
 * dense per payment because the payment's row is locked; the entry is posted once, for ever.
 * @throws the database's error when the same entry was posted before
 */
export async function recordChange(tx: Transaction, change: Change): Promise<void> {
  tx.send(INSERT, changeValues(change))
}

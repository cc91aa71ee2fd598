import type pg from 'pg'

import { copyRows } from '../../db/copy.js'
import { copyTarget, SEEDED_TABLES, type BatchRows } from './rows.js'

/** Where a batch's refunds go next, for the length of its transaction. */
const MOVES_TABLE = `create temp table refund_moves (
  stage int not null, id uuid not null, state text not null, cause text, last_code text,
  settlement_fen bigint, transit_round int not null, in_transit boolean not null, refund_id text,
  first_submitted_at timestamptz, submit_count int not null, accepted_at timestamptz,
  query_count int not null, done_at timestamptz, updated_at timestamptz not null
) on commit delete rows`

/** All refunds one edge further, where the guard looks at every one of them. */
const MOVE = `update refunds r set state = m.state, cause = m.cause, last_code = m.last_code,
    settlement_fen = m.settlement_fen, transit_round = m.transit_round, in_transit = m.in_transit,
    refund_id = m.refund_id, first_submitted_at = m.first_submitted_at,
    last_submitted_at = m.first_submitted_at, submit_count = m.submit_count,
    accepted_at = m.accepted_at, query_count = m.query_count, done_at = m.done_at,
    updated_at = m.updated_at
  from refund_moves m where m.stage = $1 and r.id = m.id`

/** When the next refund of a payment may be sent: a minute after the last, as the engine says. */
const SLOTS = `update payments p set refund_sent_at = s.sent_at,
    refund_slot_at = s.sent_at + interval '61 seconds'
  from (select r.payment_id, max(m.first_submitted_at) as sent_at
    from refund_moves m join refunds r on r.id = m.id
    where m.first_submitted_at is not null group by r.payment_id) s
  where p.id = s.payment_id and (p.refund_sent_at is null or p.refund_sent_at < s.sent_at)`

/** Makes a connection ready for `loadBatch`. */
export async function prepareLoading(client: pg.ClientBase): Promise<void> {
  await client.query(MOVES_TABLE)
  // The tables grow faster than their statistics, and a batch is always small beside them.
  await client.query('set enable_hashjoin = off')
  await client.query('set enable_mergejoin = off')
}

/**
 * Loads one batch in one transaction, by COPY and with every trigger on: refunds begin as pending
 * and are moved along their edges, so that the database itself counts and refuses.
 * @param mayCommit settles when what it would disturb is done
 */
export async function loadBatch(
  client: pg.ClientBase,
  rows: BatchRows,
  mayCommit: Promise<unknown>,
): Promise<void> {
  await client.query('begin')
  try {
    for (const table of SEEDED_TABLES) {
      if (rows[table].length > 0) await copyRows(client, copyTarget(table), rows[table])
      if (table === 'refund_moves') await moveRefunds(client, rows)
    }
    await mayCommit
    await client.query('commit')
  } catch (error) {
    await client.query('rollback')
    throw error
  }
}

async function moveRefunds(
  client: pg.ClientBase,
  { refund_moves: moves }: BatchRows,
): Promise<void> {
  const stages = moves.reduce((most, [stage]) => Math.max(most, Number(stage) + 1), 0)
  for (let stage = 0; stage < stages; stage += 1) await client.query(MOVE, [stage])
  if (stages > 0) await client.query(SLOTS)
}

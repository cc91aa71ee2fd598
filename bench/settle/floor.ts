import { newId } from '../../src/db/ids.js'
import { sql, type Database, type Statement } from '../../src/db/pool.js'
import { TOTAL_FEN, type Parties, type Waiting } from './prepare.js'

/** What is looked up stays indexed, but nothing is unique any more. */
const INDEXES = `do $$
  declare
    definition text;
  begin
    for definition in
      select indexdef from pg_indexes where schemaname = 'public'
        and tablename in ('payments', 'inbox', 'journal_transfers', 'outbox', 'audit')
    loop
      execute replace(replace(definition, 'UNIQUE ', ''), ' ON public.', ' ON floor.');
    end loop;
  end $$`

/**
 * The same rows in tables that believe everything: no check, no foreign key, no trigger, nothing
 * unique, and types that check become what they are made of. The indexes are the same, because they
 * are there for reading.
 */
const TABLES = [
  'create schema floor',
  ...['payments', 'inbox', 'journal_transfers', 'outbox', 'audit'].map(
    (table) => `create table floor.${table} (like public.${table} including generated)`,
  ),
  `alter table floor.journal_transfers alter row_hash drop not null, alter debit type text,
     alter credit type text, alter recorded_at set default now()`,
  'alter table floor.audit alter recorded_at set default now()',
  `alter table floor.inbox alter times_seen set default 1, alter resent_count set default 0`,
  'alter table floor.payments set (fillfactor = 80)',
  'insert into floor.payments select * from public.payments',
  'insert into floor.inbox select * from public.inbox',
  INDEXES,
  'vacuum analyze floor.payments',
  'vacuum analyze floor.inbox',
  'grant usage on schema floor to yuanlu_worker',
  'grant all on all tables in schema floor to yuanlu_worker',
]

const PAID = sql(
  'floor_paid',
  `update floor.payments set state = 'paid', disposition = $2, attention = $3, paid_fen = $4,
     cash_fen = $5, settlement_fen = $6, transaction_id = $7, paid_at = $8, due_at = null,
     updated_at = $9
   where id = $1`,
)
const APPLIED = sql(
  'floor_applied',
  'update floor.inbox set applied_at = $2, outcome = $3 where id = $1',
)
const JOURNAL = sql(
  'floor_journal',
  `insert into floor.journal_transfers (entry_id, n, rule, debit, credit, amount_fen, merchant_id,
     cause_kind, cause_id, occurred_at)
   values ($1, 1, 'P1', $2, $3, $4, $5, 'payment', $6, $7)`,
)
const OUTBOX = sql(
  'floor_outbox',
  `insert into floor.outbox (id, subject, sequence, type, payload, created_at)
   values ($1, $2, 1, 'payment.paid', $3, $4)`,
)
const AUDIT = sql(
  'floor_audit',
  `insert into floor.audit (id, merchant_id, at, actor_kind, actor_id, action, subject_kind,
     subject_id, detail)
   values ($1, $2, $3, 'channel', $4, 'payment.paid', 'payment', $5, $6)`,
)

/** Copies what was prepared into tables without guards. */
export async function makeFloor(owner: Database): Promise<void> {
  for (const text of TABLES) await owner.rows({ text }, [])
}

/**
 * Settles without asking anything, in prepared statements: one after the other, as a driver is
 * usually used and as pgbench does it, or all of them sent in one go.
 */
export function createFloorSettle(
  database: Database,
  parties: Parties,
  { inOneGo }: { readonly inOneGo: boolean },
) {
  return async function settle(waiting: Waiting): Promise<void> {
    const client = await database.pool.connect()
    try {
      const answers: Promise<unknown>[] = []
      for (const { name, text, values } of statements(parties, waiting)) {
        const answer = client.query({ ...(name === undefined ? {} : { name }), text, values })
        if (inOneGo) answers.push(answer)
        else await answer
      }
      await Promise.all(answers)
    } finally {
      client.release()
    }
  }
}

interface Call extends Statement {
  readonly values: unknown[]
}

function statements({ merchantId, accountId, mchId }: Parties, waiting: Waiting): Call[] {
  const { paymentId, factId, transactionId } = waiting
  const now = new Date()
  const fen = TOTAL_FEN
  const facts = { state: 'paid', disposition: 'accepted', attention: null, transactionId }
  const paid = [paymentId, 'accepted', null, fen, fen, fen, transactionId, now, now]
  const [debit, credit] = [`wechat:${accountId}`, `sales:${merchantId}`]
  const told = JSON.stringify({ paymentId, ...facts })
  return [
    { text: 'begin', values: [] },
    { ...PAID, values: paid },
    { ...APPLIED, values: [factId, now, 'accepted'] },
    { ...JOURNAL, values: [newId(now), debit, credit, fen, merchantId, paymentId, now] },
    { ...OUTBOX, values: [newId(now), paymentId, told, now] },
    { ...AUDIT, values: [newId(now), merchantId, now, mchId, paymentId, JSON.stringify(facts)] },
    { text: 'commit', values: [] },
  ]
}

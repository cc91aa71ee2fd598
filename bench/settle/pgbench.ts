import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const SECONDS = 5

/** Random rows of the floor: its update of a payment that was settled before costs the same. */
const SCRIPT = `begin;
update floor.payments set state = 'paid', disposition = 'accepted', paid_fen = 1000,
  cash_fen = 1000, settlement_fen = 1000, transaction_id = gen_random_uuid()::text,
  paid_at = now(), due_at = null, updated_at = now()
  where id = (select id from floor.payments offset random() * 1000 limit 1);
update floor.inbox set applied_at = now(), outcome = 'accepted'
  where id = (select id from floor.inbox offset random() * 1000 limit 1);
insert into floor.journal_transfers (entry_id, n, rule, debit, credit, amount_fen, merchant_id,
  cause_kind, cause_id, occurred_at)
values (uuidv7(), 1, 'P1', 'wechat', 'sales', 1000, 'bench', 'payment', uuidv7(), now());
insert into floor.outbox (id, subject, sequence, type, payload, created_at)
values (uuidv7(), uuidv7(), 1, 'payment.paid', '{"state": "paid"}', now());
insert into floor.audit (id, merchant_id, at, actor_kind, actor_id, action, subject_kind,
  subject_id, detail)
values (uuidv7(), 'bench', now(), 'channel', '1', 'payment.paid', 'payment', uuidv7(), '{}');
commit;
`
const PER_SECOND = /^tps = ([\d.]+)/m

/** Transactions per second of `pgbench` at the floor, or undefined where it is not installed. */
export async function pgbenchFloor(url: string, connections: number): Promise<number | undefined> {
  const folder = await mkdtemp(path.join(tmpdir(), 'yuanlu-pgbench-'))
  const script = path.join(folder, 'settle.sql')
  await writeFile(script, SCRIPT)
  const size = ['-c', `${connections}`, '-j', '2', '-T', `${SECONDS}`]
  try {
    const { stdout } = await run('pgbench', ['-n', '-M', 'prepared', ...size, '-f', script, url])
    return Number(PER_SECOND.exec(stdout)?.[1])
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

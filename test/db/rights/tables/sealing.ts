import { noCall, noRight, refused, type Refusal } from '../../support/refusals.js'
import { TRANSFER } from '../../support/texts.js'

const TABLES = [
  'journal_order',
  'seals',
  'seal_keys',
  'balance_days',
  'balance_checkpoints',
] as const
const CHANGES: Readonly<Record<(typeof TABLES)[number], string>> = {
  journal_order: 'update journal_order set seq = seq + 1',
  seals: 'update seals set sum_fen = 1',
  seal_keys: 'update seal_keys set first_used_at = now()',
  balance_days: 'update balance_days set recorded_to = now()',
  balance_checkpoints: 'update balance_checkpoints set balance_fen = 0',
}
const NAMES: Readonly<Record<(typeof TABLES)[number], string>> = {
  journal_order: 'the number of an entry',
  seals: 'a seal',
  seal_keys: 'a key',
  balance_days: 'a kept day',
  balance_checkpoints: 'a kept balance',
}
const NUMBER = "insert into journal_order values (9, '{other}', sha256(''), 1)"
const NUMBERS = 'select * from number_entries(10)'
const KEPT = "select checkpoint_balances('2026-03-05')"
const POSITIONS = 'select position_events(10)'

/** The seal of what waits, which would be right were it not for what is changed in it. */
export const seal = (columns: Readonly<Record<string, string>> = {}): string => {
  const row = {
    no: 'n.seal_no',
    first: 'n.first_seq',
    last: 'n.last_seq',
    entries: 'n.entries',
    prev: 'n.prev_hash',
    at: 's.sealed_at',
    from: 'number_entries(10) n cross join seals s',
    ...columns,
  }
  return `insert into seals (seal_no, first_seq, last_seq, entries, sum_fen, merkle_root, prev_hash,
      hash, key_id, signature, sealed_at)
    select no, first, last, n, 1, root, prev, sha256(convert_to(sized(no::text)
      || sized(first::text) || sized(last::text) || sized(n::text) || sized('1')
      || sized(encode(root, 'hex')) || sized(encode(prev, 'hex')) || sized(key)
      || sized(epoch_us(at)), 'UTF8')), key, signature, at
    from (select ${row.no}, ${row.first}, ${row.last}, ${row.entries}, s.merkle_root, ${row.prev},
      s.key_id, s.signature, ${row.at} from ${row.from})
      as made (no, first, last, n, root, prev, key, signature, at)`
}

const NOTHING_NUMBERED = {
  from: `(select seal_no + 1 as seal_no, last_seq + 1 as first_seq, last_seq + 1 as last_seq,
    1 as entries, hash as prev_hash from seals) n cross join seals s`,
}
const MADE_UP = "insert into seal_keys values (left(encode(sha256('x'), 'hex'), 16), 'x', now())"
const OTHER_NAME = `insert into seal_keys
  values ('0123456789abcdef', sha256('any 32 bytes'), now())`

const untouchable = (role: 'worker' | 'api'): Refusal[] =>
  TABLES.flatMap((table) =>
    refused(role, noRight(table), {
      [`changes ${NAMES[table]}`]: CHANGES[table],
      [`removes ${NAMES[table]}`]: `delete from ${table}`,
      [`empties ${table}`]: `truncate ${table}`,
    }),
  )

export const SEALING_REFUSALS: readonly Refusal[] = [
  ...TABLES.flatMap((table) => [
    ...refused('owner', `${table}_immutable`, { [`changes ${NAMES[table]}`]: CHANGES[table] }),
    ...refused('owner', `${table}_never_removed`, {
      [`removes ${NAMES[table]}`]: `delete from ${table}`,
      [`empties ${table}`]: `truncate ${table} cascade`,
    }),
  ]),
  ...untouchable('worker'),
  ...untouchable('api'),
  ...refused('worker', noRight('journal_order'), { 'numbers an entry by hand': NUMBER }),
  ...refused('worker', noRight('journal_unsealed'), {
    'takes an entry out of the queue': 'delete from journal_unsealed',
    'puts an entry into the queue': "insert into journal_unsealed values ('{other}')",
  }),
  ...(['worker', 'api'] as const).flatMap((role) =>
    refused(role, noRight('audit_unsealed'), {
      'takes a line of the audit log out of the queue': 'delete from audit_unsealed',
      'puts a line of the audit log into the queue': `insert into audit_unsealed
        values ('{other}')`,
    }),
  ),
  ...refused('worker', noRight('balance_checkpoints'), {
    'writes a balance by hand': "insert into balance_checkpoints values ('2026-03-01', 'x', 1)",
  }),
  ...refused('worker', 'journal_order_seal_no_fkey', { 'numbers entries without a seal': NUMBERS }),
  ...refused('worker', 'journal_entry_sealed', {
    'adds a line to an entry that is sealed': TRANSFER.replace('gen_random_uuid()', "'{entry}'")
      .replace("'P1'", "'P2'")
      .replace('sales:demo', 'suspense:{account}'),
  }),
  ...refused('worker', 'seals_follow', {
    'leaves a seal out': seal({ no: 'n.seal_no + 1' }),
    'seals numbers again': seal({ first: 's.first_seq' }),
    'chains a seal to nothing': seal({ prev: "sha256('')" }),
    'seals in the past': seal({ at: "s.sealed_at - interval '1 second'" }),
  }),
  ...refused('worker', 'seals_hash', {
    'writes a seal with the hash of another': seal().replace("sized('1')", "sized('2')"),
  }),
  ...refused('worker', 'seals_hold_numbered', {
    'writes a seal for numbers that nothing has': seal(NOTHING_NUMBERED),
    'seals more than was numbered': seal({ last: 'n.last_seq + 1', entries: 'n.entries + 1' }),
  }),
  ...refused('worker', 'seals_count_their_entries', {
    'counts entries that are not there': seal({ entries: 'n.entries + 1' }),
  }),
  ...refused('owner', 'balance_days_not_empty', {
    'keeps a day without entries': `insert into balance_days
      values ('2020-01-01', 1, 2, 1, now(), now())`,
  }),
  ...refused('worker', 'seal_keys_public_key_check', { 'brings a key that is none': MADE_UP }),
  ...refused('worker', 'seal_keys_named_by_key', { 'names a key as another': OTHER_NAME }),
  ...refused('api', noRight('seals'), { seals: seal() }),
  ...refused('api', noCall('number_entries'), { 'numbers entries': NUMBERS }),
  ...refused('api', noCall('checkpoint_balances'), { 'keeps the balances of a day': KEPT }),
  ...refused('api', noCall('position_events'), { 'gives events their positions': POSITIONS }),
  ...refused('worker', noRight('outbox'), {
    'gives an event its position by hand': 'update outbox set position = 9',
  }),
  ...refused('owner', 'outbox_position_once', {
    'changes the position of an event': 'update outbox set position = 9',
  }),
]

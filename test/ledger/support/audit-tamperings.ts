import { cutOff, NEW, NEW_ID, noKeys, sealedLine, swap, type Tampering } from './tampering-words.js'

const changeLine = (seq: number, set: string): string =>
  `update audit set ${set} where id = '{${seq}}'`
const insertLine = (columns: string, values: string): string => `insert into audit (${columns}, id,
  merchant_id, actor_kind, actor_id, action, subject_kind, subject_id, detail, at)
  select ${values}, merchant_id, actor_kind, actor_id, action, subject_kind, subject_id, detail, at
  from audit where id = '{21}'`

/** What somebody may do to the audit log; its lines are 21 and 23, and `{line0}` waits. */
export const AUDIT_TAMPERINGS: readonly Tampering[] = [
  ...[
    "merchant_id = 'other'",
    "at = at + interval '1 microsecond'",
    "actor_kind = 'channel'",
    "actor_id = 'somebody'",
    'acting_user = null',
    "action = 'refund.approved'",
    "subject_kind = 'refund'",
    "subject_id = '0198c3a0-0000-7000-8000-000000000001'",
    `detail = detail || '{"state": "closed"}'`,
    "recorded_at = recorded_at + interval '1 microsecond'",
  ].map((set) => ({
    what: `a line of the audit log with ${set}`,
    statements: [changeLine(21, set)],
    found: [['row_changed', sealedLine(21)]] as const,
  })),
  {
    what: 'a line of the audit log that is changed with its hash',
    statements: [
      changeLine(23, "actor_id = 'somebody'"),
      `update journal_order set entry_hash = audit_hash(a) from audit a
        where seq = 23 and a.id = entry_id`,
    ],
    found: [['root_wrong', 'seal 5, numbers 21 to 23']],
  },
  {
    what: 'a line of the audit log that is deleted',
    statements: ["delete from audit where id = '{21}'"],
    found: [['entry_deleted', sealedLine(21)]],
  },
  {
    what: 'a line of the audit log that is deleted with its number',
    statements: [
      "delete from audit where id = '{21}'",
      "delete from journal_order where entry_id = '{21}'",
    ],
    found: [['number_missing', 'number 21']],
  },
  {
    what: 'a line of the audit log that is deleted while it waits',
    statements: ["delete from audit where id = '{line0}'"],
    found: [['queue_wrong', 'audit line {line0}']],
  },
  {
    what: 'a number of the audit log that is deleted alone',
    statements: ["delete from journal_order where entry_id = '{23}'"],
    found: [
      ['number_missing', 'number 23'],
      ['row_unsealed', 'audit line {23}'],
    ],
  },
  {
    what: 'a line of the audit log that is inserted behind the guards',
    statements: [insertLine('recorded_at', `now(), ${NEW_ID}`)],
    found: [['row_unsealed', `audit line ${NEW}`]],
  },
  {
    what: 'a line of the audit log that is inserted and hidden in the queue',
    statements: [
      insertLine('recorded_at', `now() - interval '61 seconds', ${NEW_ID}`),
      `insert into audit_unsealed values (${NEW_ID})`,
    ],
    found: [['row_waiting', `audit line ${NEW}`]],
  },
  {
    what: 'a line of the audit log that is written twice',
    statements: [noKeys('audit'), insertLine('acting_user, recorded_at', "'x', now(), '{21}'")],
    found: [['row_added', sealedLine(21)]],
  },
  {
    what: 'a sealed line of the audit log that is queued again',
    statements: ["insert into audit_unsealed values ('{21}')"],
    found: [['queue_wrong', 'audit line {21}']],
  },
  {
    what: 'two lines of the audit log that change places',
    statements: [
      'alter table journal_order drop constraint journal_order_entry_id_kind_key',
      swap('entry_id', 21, 23),
      swap('entry_hash', 21, 23),
    ],
    found: [
      ['order_wrong', 'number 22, entry {22}'],
      ['order_wrong', 'number 23, audit line {21}'],
    ],
  },
  {
    what: 'a line of the audit log that is passed off as an entry',
    statements: ["update journal_order set kind = 'entry' where seq = 21"],
    found: [
      ['entry_deleted', 'number 21, entry {21}'],
      ['row_unsealed', 'audit line {21}'],
    ],
  },
  {
    what: 'an audit log whose end is cut off, by one who holds its head',
    statements: cutOff(4),
    options: (heads) => ({ head: heads[4] ?? Buffer.alloc(0) }),
    found: [['head_missing', 'head {head5}']],
  },
]

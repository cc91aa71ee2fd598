import { AUDIT_TAMPERINGS } from './audit-tamperings.js'
import { KEY, OTHER_KEY } from './sealed-book.js'
import { cutOff, NEW, NEW_ID, noKeys, sealedLine, swap, type Tampering } from './tampering-words.js'

/**
 * Statements and findings name what is sealed by its number in braces: entries from 1 to 20 and 22,
 * lines of the audit log as 21 and 23. The entry that waits is 0, the line that waits `{line0}`.
 * Days are `{day1}` and `{day2}`, the heads of the last seals `{head4}` and `{head5}`.
 */

const line = (seq: number, n: number): string => `entry {${seq}}, transfer P1 ${n}`
const transfer = (seq: number, n: number): string => `entry_id = '{${seq}}' and n = ${n}`
const change = (seq: number, n: number, set: string): string =>
  `update journal_transfers t set ${set} where ${transfer(seq, n)}`
const rehash = (seq: number): string =>
  `update journal_transfers t set row_hash = journal_row_hash(t) where entry_id = '{${seq}}'`
const reseal = (seq: number): string => `update journal_order set entry_hash = (
  select sha256(string_agg(row_hash, ''::bytea order by rule collate "C", n))
  from journal_transfers t where t.entry_id = journal_order.entry_id) where seq = ${seq}`
const rehashSeal = (no: number): string => `update seals set hash = sha256(convert_to(
  sized(seal_no::text) || sized(first_seq::text) || sized(last_seq::text) || sized(entries::text)
  || sized(sum_fen::text) || sized(encode(merkle_root, 'hex')) || sized(encode(prev_hash, 'hex'))
  || sized(key_id) || sized(epoch_us(sealed_at)), 'UTF8')) where seal_no = ${no}`
const insert = (entryId: string, n: number): string => `insert into journal_transfers
  (entry_id, n, rule, debit, credit, amount_fen, merchant_id, cause_kind, cause_id, occurred_at,
   row_hash)
  select ${entryId}, ${n}, rule, debit, credit, 7, merchant_id, cause_kind, gen_random_uuid(),
    occurred_at, '' from journal_transfers where ${transfer(7, 1)}`

export const TAMPERINGS: readonly Tampering[] = [
  {
    what: 'an amount that is changed',
    statements: [change(7, 1, 'amount_fen = amount_fen + 1')],
    found: [['row_changed', line(7, 1)]],
  },
  ...[
    'n = 9',
    "rule = 'P3'",
    "debit = 'suspense:0198c3a0-0000-7000-8000-000000000001'",
    "credit = 'sales:other'",
    "merchant_id = 'other'",
    "cause_kind = 'refund'",
    "cause_id = '0198c3a0-0000-7000-8000-000000000001'",
    "reverses = '0198c3a0-0000-7000-8000-000000000001'",
    "occurred_at = occurred_at + interval '1 microsecond'",
    "recorded_at = recorded_at + interval '1 microsecond'",
    "row_hash = sha256('')",
  ].map((set) => {
    const [, n = '2'] = /^n = (\d)/.exec(set) ?? []
    const [, rule = 'P1'] = /^rule = '(..)'/.exec(set) ?? []
    const found = [['row_changed', `entry {7}, transfer ${rule} ${n}`]] as const
    return { what: `a transfer with ${set}`, statements: [change(7, 2, set)], found }
  }),
  {
    what: 'an amount that is changed with its hash',
    statements: [change(7, 1, 'amount_fen = amount_fen + 1'), rehash(7)],
    found: [['entry_changed', 'number 7, entry {7}']],
  },
  {
    what: 'an amount that is changed with all hashes up to the seal',
    statements: [change(7, 1, 'amount_fen = amount_fen + 1'), rehash(7), reseal(7)],
    found: [['root_wrong', 'seal 2, numbers 6 to 10']],
  },
  {
    what: 'a transfer of two that is deleted',
    statements: [`delete from journal_transfers where ${transfer(12, 2)}`],
    found: [['entry_changed', 'number 12, entry {12}']],
  },
  {
    what: 'an entry that is deleted',
    statements: ["delete from journal_transfers where entry_id = '{12}'"],
    found: [['entry_deleted', 'number 12, entry {12}']],
  },
  {
    what: 'an entry that is deleted with its number',
    statements: [
      "delete from journal_transfers where entry_id = '{12}'",
      'delete from journal_order where seq = 12',
    ],
    found: [['number_missing', 'number 12']],
  },
  {
    what: 'an entry that is deleted while it waits',
    statements: ["delete from journal_transfers where entry_id = '{0}'"],
    found: [['queue_wrong', 'entry {0}']],
  },
  {
    what: 'numbers that are deleted alone',
    statements: ['delete from journal_order where seq in (13, 14)'],
    found: [
      ['number_missing', 'numbers 13 to 14'],
      ['row_unsealed', line(13, 1)],
      ['row_unsealed', line(13, 2)],
      ['row_unsealed', line(14, 1)],
      ['row_unsealed', line(14, 2)],
    ],
  },
  {
    what: 'an entry that is inserted behind the guards',
    statements: [
      insert(NEW_ID, 1),
      `update journal_transfers t set row_hash = journal_row_hash(t)
      where entry_id = ${NEW_ID}`,
    ],
    found: [['row_unsealed', `entry ${NEW}, transfer P1 1`]],
  },
  {
    what: 'an entry that is inserted with a hash that is not its own',
    statements: [insert(NEW_ID, 1)],
    found: [
      ['row_changed', `entry ${NEW}, transfer P1 1`],
      ['row_unsealed', `entry ${NEW}, transfer P1 1`],
    ],
  },
  {
    what: 'an entry that is inserted and hidden in the queue',
    statements: [
      insert(NEW_ID, 1),
      `update journal_transfers t set recorded_at = now() - interval '61 seconds'
       where entry_id = ${NEW_ID}`,
      `update journal_transfers t set row_hash = journal_row_hash(t) where entry_id = ${NEW_ID}`,
      `insert into journal_unsealed values (${NEW_ID})`,
    ],
    found: [['row_waiting', `entry ${NEW}, transfer P1 1`]],
  },
  {
    what: 'a transfer that is added to a sealed entry',
    statements: [insert("'{7}'", 3), rehash(7)],
    found: [['row_added', line(7, 3)]],
  },
  {
    what: 'a sealed entry that is queued again',
    statements: ["insert into journal_unsealed values ('{3}')"],
    found: [['queue_wrong', 'entry {3}']],
  },
  {
    what: 'two entries that change places',
    statements: [
      'alter table journal_order drop constraint journal_order_entry_id_kind_key',
      swap('entry_id', 8, 9),
      swap('entry_hash', 8, 9),
    ],
    found: [['order_wrong', 'number 9, entry {8}']],
  },
  {
    what: 'two entries of two seals that change places',
    statements: [
      'alter table journal_order drop constraint journal_order_entry_id_kind_key',
      swap('entry_id', 5, 6),
      swap('entry_hash', 5, 6),
    ],
    found: [
      ['root_wrong', 'seal 1, numbers 1 to 5'],
      ['root_wrong', 'seal 2, numbers 6 to 10'],
    ],
  },
  {
    what: 'a number that names another seal',
    statements: ['update journal_order set seal_no = 1 where seq = 7'],
    found: [['number_wrong', 'number 7, entry {7}']],
  },
  {
    what: 'a number that stands twice',
    statements: [noKeys('journal_order'), 'update journal_order set seq = 8 where seq = 9'],
    found: [
      ['number_missing', 'number 9'],
      ['number_wrong', 'number 8, entry {9}'],
    ],
  },
  {
    what: 'a sum of a seal that is changed',
    statements: ['update seals set sum_fen = sum_fen + 1 where seal_no = 2'],
    found: [
      ['seal_changed', 'seal 2'],
      ['sum_wrong', 'seal 2'],
    ],
  },
  {
    what: 'a sum of the last seal that is changed with its hash',
    statements: ['update seals set sum_fen = sum_fen + 1 where seal_no = 5', rehashSeal(5)],
    found: [
      ['signature_wrong', 'seal 5'],
      ['sum_wrong', 'seal 5'],
    ],
  },
  {
    what: 'a seal that is changed with its hash',
    statements: [
      "update seals set sealed_at = sealed_at + interval '1 s' where seal_no = 2",
      rehashSeal(2),
    ],
    found: [
      ['chain_broken', 'seal 3'],
      ['signature_wrong', 'seal 2'],
    ],
  },
  {
    what: 'a signature that is changed',
    statements: ['update seals set signature = set_byte(signature, 0, 1) where seal_no = 3'],
    found: [['signature_wrong', 'seal 3']],
  },
  {
    what: 'a root that is changed',
    statements: ["update seals set merkle_root = sha256('') where seal_no = 3"],
    found: [
      ['root_wrong', 'seal 3, numbers 11 to 15'],
      ['seal_changed', 'seal 3'],
    ],
  },
  {
    what: 'a seal that is removed',
    statements: ['delete from seals where seal_no = 2'],
    found: [['seal_missing', 'seal 2']],
  },
  {
    what: 'a seal that is removed with its entries',
    statements: [
      `delete from journal_transfers where entry_id in
        (select entry_id from journal_order where seal_no = 3)`,
      'delete from journal_order where seal_no = 3',
      'delete from seals where seal_no = 3',
    ],
    found: [['seal_missing', 'seal 3']],
  },
  {
    what: 'a last seal that is removed alone',
    statements: ['delete from seals where seal_no = 5'],
    found: [
      ['number_unsealed', sealedLine(21)],
      ['number_unsealed', 'number 22, entry {22}'],
      ['number_unsealed', sealedLine(23)],
    ],
  },
  {
    what: 'an end that is cut off, which nobody sees without a head',
    statements: cutOff(3),
    found: [],
  },
  {
    what: 'an end that is cut off, by one who holds its head',
    statements: cutOff(3),
    options: (heads) => ({ head: heads[3] ?? Buffer.alloc(0) }),
    found: [['head_missing', 'head {head4}']],
  },
  {
    what: 'an end that is cut off after the head that is held',
    statements: cutOff(3),
    options: (heads) => ({ head: heads[2] ?? Buffer.alloc(0) }),
    found: [],
  },
  {
    what: 'a key that is removed',
    statements: ['delete from seal_keys'],
    found: [1, 2, 3, 4, 5].map((no) => ['key_unknown', `seal ${no}, key ${KEY.id}`]),
  },
  {
    what: 'a book of one who signs with a key of their own',
    statements: [],
    options: () => ({ publicKeys: [OTHER_KEY.publicKey] }),
    found: [1, 2, 3, 4, 5].map((no) => ['key_unknown', `seal ${no}, key ${KEY.id}`]),
  },
  {
    what: 'a balance that is changed',
    statements: [
      "update balance_checkpoints set balance_fen = balance_fen + 1 where account = 'sales:demo'",
    ],
    found: [
      ['balance_wrong', 'day {day1}, sales:demo'],
      ['balance_wrong', 'day {day2}, sales:demo'],
    ],
  },
  {
    what: 'a balance that is removed',
    statements: ["delete from balance_checkpoints where account = 'sales:demo' and day = '{day1}'"],
    found: [['balance_wrong', 'day {day1}, sales:demo']],
  },
  {
    what: 'a day whose stretch is changed',
    statements: [
      "update balance_days set recorded_to = recorded_to + interval '1 s' where day = '{day2}'",
    ],
    found: [['balance_wrong', 'day {day2}']],
  },
  {
    what: 'a day that is removed',
    statements: ["delete from balance_days where day = '{day1}'"],
    found: [['balance_wrong', 'day {day2}']],
  },
  ...AUDIT_TAMPERINGS,
  {
    what: 'nothing at all',
    statements: [],
    options: (heads) => ({
      publicKeys: [OTHER_KEY.publicKey, KEY.publicKey],
      head: heads[3] ?? Buffer.alloc(0),
    }),
    found: [],
  },
]

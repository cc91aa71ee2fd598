import { noRight, refused, type Refusal } from '../../support/refusals.js'
import { REVERSAL, TRANSFER } from '../../support/texts.js'

const CHANGE = 'update journal_transfers set amount_fen = 1'
const DELETE = 'delete from journal_transfers'
const TRUNCATE = 'truncate journal_transfers'
export const EVENT = "insert into outbox values (gen_random_uuid(), '{full}', 9, 'x', '{}', now())"
const ROW_SECURITY = 'new row violates row-level security policy for table "audit"'
export const AUDIT = `insert into audit (id, merchant_id, at, actor_kind, actor_id, acting_user,
    action, subject_kind, subject_id, detail)
  values (gen_random_uuid(), 'demo', now(), 'engine', 'x', null, 'x', 'payment', '{full}', '{}')`

export const JOURNAL_REFUSALS: readonly Refusal[] = [
  ...refused('worker', noRight('journal_transfers'), {
    'changes a line': CHANGE,
    'deletes a line': DELETE,
    'truncates the journal': TRUNCATE,
    'says when a line was recorded': TRANSFER.replace('occurred_at', 'recorded_at'),
  }),
  ...refused('worker', 'journal_posted_once', {
    'posts the same twice': TRANSFER.replace('{other}', '{full}'),
  }),
  ...refused('worker', 'journal_rule_accounts', {
    'posts by a rule nobody knows': TRANSFER.replace('P1', 'Z9'),
    'posts by a rule to accounts of another': TRANSFER.replace('P1', 'J1'),
    'posts the wrong way round': TRANSFER.replace(
      "'wechat:{account}', 'sales:demo'",
      "'sales:demo', 'wechat:{account}'",
    ),
  }),
  ...refused('worker', 'journal_two_accounts', {
    'posts to one account alone': REVERSAL.replace("'sales:demo'", "'wechat:{account}'"),
  }),
  ...refused('worker', 'account_name_check', {
    'posts to an account nobody knows': TRANSFER.replace('sales:demo', 'profit:demo'),
    'posts to an account of nobody': TRANSFER.replace('sales:demo', 'sales:'),
    "posts to a merchant's account by a channel account's id": TRANSFER.replace(
      'sales:demo',
      'sales:{account}',
    ),
  }),
  ...refused('worker', 'journal_own_accounts', {
    "posts to another merchant's account": TRANSFER.replace('sales:demo', 'sales:other'),
  }),
  ...refused('worker', 'journal_transfers_amount_fen_check', {
    'posts nothing': TRANSFER.replace("'sales:demo', 1", "'sales:demo', 0"),
    'posts a negative amount': TRANSFER.replace("'sales:demo', 1", "'sales:demo', -1"),
  }),
  ...refused('worker', 'journal_transfers_cause_kind_check', {
    'posts for a cause nobody knows': TRANSFER.replace("'payment'", "'mood'"),
  }),
  ...refused('worker', 'journal_reversal_names_entry', {
    'reverses without saying what': REVERSAL.replace("'{entry}'", 'null'),
    'says that a payment reverses something': TRANSFER.replace(
      'occurred_at)',
      'occurred_at, reverses)',
    ).replace('now())', "now(), '{entry}')"),
  }),
  ...refused('worker', 'journal_reversal_exact', {
    'reverses another amount': REVERSAL.replace('1000', '999'),
    'reverses the same way round': REVERSAL.replace(
      "'sales:demo', 'wechat:{account}'",
      "'wechat:{account}', 'sales:demo'",
    ),
    'reverses an entry that is not there': REVERSAL.replace('{entry}', '{other}'),
    'numbers a reversal so that a second one fits beside it': REVERSAL.replace(', 1,', ', 2,'),
  }),
  ...refused('worker', 'journal_reversed_once', {
    'reverses an entry twice': `${REVERSAL}, (gen_random_uuid(), 1, 'X', 'sales:demo',
      'wechat:{account}', 1000, 'demo', 'case', '{full}', '{entry}', now())`,
  }),
  ...refused('api', noRight('journal_transfers'), {
    'posts a line': TRANSFER,
    'changes a line': CHANGE,
    'deletes a line': DELETE,
    'truncates the journal': TRUNCATE,
  }),
  ...refused('owner', 'journal_transfers_immutable', { 'changes a line': CHANGE }),
  ...refused('owner', 'journal_transfers_never_removed', {
    'deletes a line': DELETE,
    'truncates the journal': TRUNCATE,
  }),
]

export const EVENT_REFUSALS: readonly Refusal[] = [
  ...refused('worker', noRight('audit'), {
    'says when a line of the audit log was written': AUDIT.replace(' at,', ' recorded_at,'),
    'changes the audit log': "update audit set action = 'x'",
    'deletes from the audit log': 'delete from audit',
    'truncates the audit log': 'truncate audit',
  }),
  ...refused('api', noRight('audit'), {
    'says when a line of the audit log was written': AUDIT.replace(' at,', ' recorded_at,'),
    'changes the audit log': "update audit set action = 'x'",
    'deletes from the audit log': 'delete from audit',
    'truncates the audit log': 'truncate audit',
  }),
  ...refused('owner', 'audit_immutable', {
    'changes the audit log': "update audit set action = 'x'",
  }),
  ...refused('owner', 'audit_never_removed', {
    'deletes from the audit log': 'delete from audit',
    'truncates the audit log': 'truncate audit',
  }),
  ...refused('api', ROW_SECURITY, {
    'writes the audit log as the engine': AUDIT,
    'writes the audit log as the command line': AUDIT.replace('engine', 'command-line'),
  }),
  ...refused('worker', ROW_SECURITY, {
    'writes the audit log as the command line': AUDIT.replace('engine', 'command-line'),
  }),
  ...refused('worker', 'audit_subject_named', {
    'writes the audit log about nothing': AUDIT.replace("'{full}'", 'null'),
  }),
  ...refused('owner', 'outbox_immutable', {
    'changes an event': "update outbox set payload = '{}'",
    'tells an event of another payment': "update outbox set subject = '{other}'",
  }),
  ...refused('owner', 'outbox_never_removed', {
    'deletes an event': 'delete from outbox',
    'truncates events': 'truncate outbox',
  }),
  ...refused('worker', noRight('outbox'), {
    'changes an event': "update outbox set payload = '{}'",
    'deletes an event': 'delete from outbox',
  }),
  ...refused('api', noRight('outbox'), {
    'writes an event': EVENT,
    'deletes an event': 'delete from outbox',
  }),
  ...refused('worker', 'outbox_subject_sequence_key', {
    'gives two events one place': EVENT.replace('9,', '1,'),
  }),
]

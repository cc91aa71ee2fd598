import { describe } from 'vitest'

import {
  allowed,
  noRight,
  refused,
  testPermissions,
  testRefusals,
  useScene,
} from '../support/rights.js'
import { TRANSFER } from '../support/scene.js'

const CHANGE = 'update journal_transfers set amount_fen = 1'
const DELETE = 'delete from journal_transfers'
const TRUNCATE = 'truncate journal_transfers'
const EVENT = "insert into outbox values (gen_random_uuid(), '{full}', 9, 'x', '{}', now())"
const AUDIT = `insert into audit values
  (gen_random_uuid(), 'demo', now(), 'engine', 'x', null, 'x', 'payment', '{full}', '{}')`

const JOURNAL = [
  ...refused('worker', noRight('journal_transfers'), {
    'changes a line': CHANGE,
    'deletes a line': DELETE,
    'truncates the journal': TRUNCATE,
    'says when a line was recorded': TRANSFER.replace('occurred_at', 'recorded_at'),
  }),
  ...refused('worker', 'journal_posted_once', {
    'posts the same twice': TRANSFER.replace('{other}', '{full}'),
  }),
  ...refused('worker', 'journal_two_accounts', {
    'posts to one account alone': TRANSFER.replace("'b'", "'a'"),
  }),
  ...refused('worker', 'journal_transfers_amount_fen_check', {
    'posts nothing': TRANSFER.replace("'b', 1", "'b', 0"),
    'posts a negative amount': TRANSFER.replace("'b', 1", "'b', -1"),
  }),
  ...refused('worker', 'journal_transfers_rule_check', {
    'posts by a rule nobody knows': TRANSFER.replace('P1', 'Z9'),
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

const AUDIT_AND_EVENTS = [
  ...refused('worker', noRight('audit'), {
    'changes the audit log': "update audit set action = 'x'",
    'deletes from the audit log': 'delete from audit',
    'truncates the audit log': 'truncate audit',
  }),
  ...refused('api', noRight('audit'), {
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

const ALLOWED = [
  ...allowed('worker', {
    'posts a line': TRANSFER,
    'writes an event': EVENT,
    'writes the audit log': AUDIT,
  }),
  ...allowed('api', {
    'writes the audit log': AUDIT,
    'reads the journal': 'table journal_transfers',
  }),
]

describe('rights on the journal', () => {
  testRefusals(useScene(), JOURNAL)
})

describe('rights on audit log and events', () => {
  const scene = useScene()
  testRefusals(scene, AUDIT_AND_EVENTS)
  testPermissions(scene, ALLOWED)
})

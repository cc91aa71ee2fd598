import { noRight, refused, type Refusal } from '../../support/refusals.js'
import {
  BODY,
  DECISION,
  FACT,
  NOTIFICATION,
  OPERATOR_APPROVES,
  PAYMENT_NOTIFICATION,
} from '../../support/texts.js'

const AS_OPERATOR = DECISION.replace("'api_key'", "'temporal-operator'")

export const DECISION_REFUSALS: readonly Refusal[] = [
  ...refused('worker', noRight('refund_decisions'), {
    'decides in the name of a key': DECISION,
    'decides as the operator by hand': AS_OPERATOR,
    'changes a decision': "update refund_decisions set verb = 'reject'",
    'deletes a decision': 'delete from refund_decisions',
    'truncates decisions': 'truncate refund_decisions',
  }),
  ...refused('api', 'new row violates row-level security policy for table "refund_decisions"', {
    'decides as the operator': AS_OPERATOR,
  }),
  ...refused('api', 'permission denied for function record_operator_approval', {
    'records an approval of the operator': OPERATOR_APPROVES,
  }),
  ...refused('api', 'refund_decisions_once', { 'decides the same twice': DECISION }),
  ...refused('api', noRight('refund_decisions'), {
    'applies its own decision': 'update refund_decisions set applied_at = now()',
    'stores an applied decision': DECISION.replace('stored_at)', 'applied_at)'),
    'deletes a decision': 'delete from refund_decisions',
    'truncates decisions': 'truncate refund_decisions',
  }),
  ...refused('owner', 'refund_decisions_immutable', {
    'rewrites a decision': "update refund_decisions set reason = 'other'",
    'says that a decision was sent again without when':
      'update refund_decisions set resent_count = 1',
  }),
  ...refused('owner', 'refund_decisions_never_removed', {
    'deletes a decision': 'delete from refund_decisions',
    'truncates decisions': 'truncate refund_decisions',
  }),
]

export const FACT_REFUSALS: readonly Refusal[] = [
  ...refused('worker', noRight('inbox'), {
    'changes a fact': "update inbox set fact = '{}'",
    'moves a fact to another payment': "update inbox set subject_id = '{other}'",
    'deletes a fact': 'delete from inbox',
    'truncates the inbox': 'truncate inbox',
  }),
  ...refused('worker', 'inbox_immutable', {
    'applies a fact twice': 'update inbox set applied_at = now()',
    'forgets that a fact was applied': 'update inbox set applied_at = null',
    'changes what a fact did': "update inbox set outcome = 'accepted'",
    'says that a fact was signalled at another time': 'update inbox set signalled_at = now()',
    'forgets that a fact was signalled': 'update inbox set signalled_at = null',
    'forgets how often a fact was sent again': 'update inbox set resent_count = 0',
    'forgets when a fact was sent again': 'update inbox set resent_at = null',
    'sends a fact again without counting it': 'update inbox set resent_at = now()',
    'counts a fact sent again twice': `update inbox set resent_at = now(),
      resent_count = resent_count + 2`,
  }),
  ...refused('api', noRight('inbox'), {
    'applies a fact': 'update inbox set applied_at = now()',
    'says that a fact was sent again': 'update inbox set resent_at = now()',
    'stores a fact that looks applied': FACT.replace('stored_at)', 'applied_at)'),
    'deletes a fact': 'delete from inbox',
    'truncates the inbox': 'truncate inbox',
  }),
  ...refused('api', 'inbox_immutable', {
    'counts backwards': 'update inbox set times_seen = times_seen - 1',
  }),
  ...refused('owner', 'inbox_immutable', {
    'turns a fact into another': "update inbox set fact = '{}'",
    'says a fact was verified otherwise': "update inbox set verified_by = 'query'",
  }),
  ...refused('api', 'inbox_manual_is_a_persons', {
    'says that a person decided what a query said': FACT.replace("'query', 'q", "'manual', 'q"),
  }),
  ...refused('owner', 'inbox_never_removed', {
    'deletes a fact': 'delete from inbox',
    'truncates the inbox': 'truncate inbox',
  }),
]

export const BODY_REFUSALS: readonly Refusal[] = [
  ...refused('api', noRight('inbox_bodies'), {
    'stores a body without its fact': BODY,
    'reads bodies': 'table inbox_bodies',
    'deletes bodies': 'delete from inbox_bodies',
  }),
  ...refused('worker', noRight('inbox_bodies'), {
    'stores a body': BODY,
    'changes a body': "update inbox_bodies set ciphertext = 'x'",
    'deletes a body': 'delete from inbox_bodies',
    'truncates bodies': 'truncate inbox_bodies',
  }),
  ...refused('worker', noRight('inbox_bodies_default'), {
    'deletes bodies behind the back of their table': 'delete from inbox_bodies_default',
  }),
  ...refused('worker', 'must be owner of table inbox_bodies', {
    'takes a month away': 'alter table inbox_bodies detach partition inbox_bodies_default',
  }),
  ...refused('worker', 'permission denied for function store_notification', {
    'stores a notification': NOTIFICATION,
  }),
  ...refused('worker', 'permission denied for function store_payment_notification', {
    'stores a notification of a payment': PAYMENT_NOTIFICATION,
  }),
  ...refused('owner', 'inbox_bodies_immutable', {
    'changes a body': "update inbox_bodies set ciphertext = 'x'",
    'changes a body in its partition': "update inbox_bodies_default set headers = '{}'",
  }),
  ...refused('owner', 'inbox_bodies_ciphertext_check', {
    'stores an empty body': BODY.replace("'sealed'", "''"),
  }),
]

import { describe } from 'vitest'

import {
  allowed,
  noRight,
  refused,
  testPermissions,
  testRefusals,
  useScene,
} from '../support/rights.js'
import { DECISION, FACT, OPERATOR_APPROVES } from '../support/scene.js'

const AS_OPERATOR = DECISION.replace("'api_key'", "'temporal-operator'")

const DECISIONS = [
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
  }),
  ...refused('owner', 'refund_decisions_never_removed', {
    'deletes a decision': 'delete from refund_decisions',
    'truncates decisions': 'truncate refund_decisions',
  }),
]

const FACTS = [
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
  }),
  ...refused('api', noRight('inbox'), {
    'applies a fact': 'update inbox set applied_at = now()',
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
  ...refused('owner', 'inbox_never_removed', {
    'deletes a fact': 'delete from inbox',
    'truncates the inbox': 'truncate inbox',
  }),
]

const ALLOWED = [
  ...allowed('api', {
    'decides for another acting user': DECISION.replace('Bob', 'Carol'),
    'marks a decision as signalled': 'update refund_decisions set signalled_at = now()',
    'stores a fact': FACT,
    'marks a fact as signalled': 'update inbox set signalled_at = now()',
  }),
  ...allowed('worker', {
    'records an approval of the operator': OPERATOR_APPROVES,
    'applies decisions': "update refund_decisions set applied_at = now(), outcome = 'applied'",
    'applies a fact': 'update inbox set applied_at = now() where applied_at is null',
  }),
]

describe('rights on decisions', () => {
  testRefusals(useScene(), DECISIONS)
})

describe('rights on facts', () => {
  const scene = useScene()
  testRefusals(scene, FACTS)
  testPermissions(scene, ALLOWED)
})

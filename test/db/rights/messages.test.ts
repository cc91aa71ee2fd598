import { describe } from 'vitest'

import { allowed } from '../support/refusals.js'
import {
  DECISION,
  FACT,
  NOTIFICATION,
  OPERATOR_APPROVES,
  PAYMENT_NOTIFICATION,
} from '../support/texts.js'
import { testPermissions, testRefusals, useScene } from '../support/rights.js'
import { BODY_REFUSALS, DECISION_REFUSALS, FACT_REFUSALS } from './tables/messages.js'

const ALLOWED = [
  ...allowed('api', {
    'decides for another acting user': DECISION.replace('Bob', 'Carol'),
    'marks a decision as signalled': 'update refund_decisions set signalled_at = now()',
    'stores a fact': FACT,
    'stores a notification': NOTIFICATION.replace("'told'", "'another'"),
    'stores a notification of a payment': PAYMENT_NOTIFICATION,
    'counts a fact once more': 'update inbox set times_seen = times_seen + 1',
    'marks a fact as signalled': 'update inbox set signalled_at = now() where signalled_at is null',
  }),
  ...allowed('worker', {
    'sends a fact again': `update inbox set resent_at = now(), resent_count = resent_count + 1`,
    'records an approval of the operator': OPERATOR_APPROVES,
    'applies decisions': "update refund_decisions set applied_at = now(), outcome = 'applied'",
    'applies a fact': 'update inbox set applied_at = now() where applied_at is null',
  }),
]

describe('rights on decisions', () => {
  testRefusals(useScene(), DECISION_REFUSALS)
})

describe('rights on facts', () => {
  const scene = useScene()
  testRefusals(scene, FACT_REFUSALS)
  testRefusals(scene, BODY_REFUSALS)
  testPermissions(scene, ALLOWED)
})

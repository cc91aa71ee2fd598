import type { Refusal } from '../../support/refusals.js'
import { EVENT_REFUSALS, JOURNAL_REFUSALS } from './book.js'
import { CASE_REFUSALS } from './cases.js'
import { BODY_REFUSALS, DECISION_REFUSALS, FACT_REFUSALS } from './messages.js'
import { PAYMENT_REFUSALS } from './payments.js'
import { REFUND_REFUSALS } from './refunds.js'
import { RETENTION_REFUSALS } from './retention.js'
import { RULE_REFUSALS } from './rules.js'
import { SEALING_REFUSALS } from './sealing.js'
import { WEBHOOK_REFUSALS } from './webhooks.js'

/** Every refusal there is a test for, by what it is about. */
export const REFUSALS: Readonly<Record<string, readonly Refusal[]>> = {
  Payments: PAYMENT_REFUSALS,
  Refunds: REFUND_REFUSALS,
  'Refunds of the portal, and cases': CASE_REFUSALS,
  Decisions: DECISION_REFUSALS,
  'Facts of the channel': FACT_REFUSALS,
  'Raw notifications': BODY_REFUSALS,
  'The journal': JOURNAL_REFUSALS,
  'Audit log and events': EVENT_REFUSALS,
  'Seals, numbers and kept balances': SEALING_REFUSALS,
  'What the rules are made of': RULE_REFUSALS,
  'What is erased after its time': RETENTION_REFUSALS,
  'Events that merchants are sent': WEBHOOK_REFUSALS,
}

import { one, refund, without, type Difference } from './difference.js'

/** What can be wrong with what is said: facts, decisions, events, histories, answers. */
export const MESSAGE_DIFFERENCES: readonly Difference[] = [
  [
    'decision_lost',
    'R2',
    'an answered decision has no row',
    ({ books }) => {
      books.tables.decisions = without(books.tables.decisions, 'id-R2')
    },
  ],
  [
    'notification_lost',
    'P1',
    'an answered notification of a payment has no row',
    ({ books }) => {
      books.tables.inbox = without(books.tables.inbox, 'id-P1')
    },
  ],
  [
    'notification_lost',
    'P5',
    'a notification that came after the query was not counted',
    ({ books }) => {
      one(books.tables.inbox, 'id-P5').timesSeen = 1
    },
  ],
  [
    'notification_lost',
    'R1',
    'of a refund only the query is stored',
    ({ books }) => {
      books.tables.inbox = without(books.tables.inbox, 'R1:success:notify')
    },
  ],
  [
    'event_missing',
    'R1',
    'the end of a refund was told to nobody',
    ({ books }) => {
      one(books.tables.events, 'refund.done').type = 'refund.accepted'
    },
  ],
  [
    'event_missing',
    'P1',
    'the events of a payment have a gap',
    ({ books }) => {
      one(books.tables.events, 'refund.requested').sequence = 9
    },
  ],
  [
    'approved_twice',
    'R1',
    'a second refund went out beside the approved one',
    ({ books }) => {
      books.tables.refunds.push({
        ...one(books.tables.refunds, 'R1'),
        id: 'id-R1-2',
        outRefundNo: 'R1-2',
      })
    },
  ],
  [
    'approved_twice',
    'R1',
    'two approvals were applied to one refund',
    ({ books }) => {
      const approval = one(books.tables.decisions, 'id-R1')
      books.tables.decisions.push({ ...approval, id: 'another' })
    },
  ],
  [
    'event_twice',
    'R1',
    'the end of a refund is told twice',
    ({ books }) => {
      books.tables.events.push({ ...one(books.tables.events, 'refund.done'), sequence: 5 })
    },
  ],
  [
    'fact_unapplied',
    'P1',
    'a fact was never applied',
    ({ books }) => {
      one(books.tables.inbox, 'id-P1').isApplied = false
    },
  ],
  [
    'decision_unapplied',
    'R1',
    'a decision was never applied',
    ({ books }) => {
      one(books.tables.decisions, 'id-R1').outcome = null
    },
  ],
  [
    'resolution_unapplied',
    'R5',
    'a resolution was never applied',
    ({ books }) => {
      one(books.tables.resolutions, 'id-R5').outcome = null
    },
  ],
  [
    'workflow_open',
    'R1',
    'a workflow goes on after its refund',
    ({ books }) => {
      one(books.workflows, 'refund:shop:R1').status = 'RUNNING'
    },
  ],
  [
    'workflow_missing',
    'P1',
    'a payment has no workflow',
    ({ books }) => {
      books.workflows = without(books.workflows, 'payment:shop:P1')
    },
  ],
  [
    'workflow_missing',
    'R5',
    'a workflow has ended before its refund',
    ({ books }) => {
      one(books.workflows, 'refund:shop:R5').status = 'COMPLETED'
    },
  ],
  [
    'workflow_broken',
    'R1',
    'a workflow was terminated',
    ({ books }) => {
      one(books.workflows, 'refund:shop:R1').status = 'TERMINATED'
    },
  ],
  [
    'sent_without_approval',
    'R2',
    'a rejected refund is at the channel',
    ({ books }) =>
      books.channel.refunds.push({
        outTradeNo: 'P1',
        outRefundNo: 'R2',
        refundFee: 200,
        refundStatus: 'PROCESSING',
      }),
  ],
  [
    'sent_without_approval',
    'R1',
    'nobody approved what was sent',
    ({ books }) => {
      books.tables.decisions = without(books.tables.decisions, 'id-R1')
    },
  ],
  [
    'sent_without_approval',
    'R1',
    'one of two approvals sent it',
    (sound) => Object.assign(refund(sound, 'R1'), { approvalsNeeded: 2 }),
  ],
  [
    'approved_by_requester',
    'R1',
    'the key that asked has approved',
    ({ books }) => {
      one(books.tables.decisions, 'id-R1').principalId = 'key-1'
    },
  ],
  [
    'approved_by_requester',
    'R1',
    'the person who asked has approved by another key',
    ({ books }) => {
      one(books.tables.decisions, 'id-R1').actingUser = ' Li.Na'
    },
  ],
  [
    'answer_contradicted',
    'P2',
    'the API said paid of what is closed',
    ({ expected }) => {
      one(expected.payments, 'P2').lastAnswer = { state: 'paid', amountFen: 1_000, refundedFen: 0 }
    },
  ],
  [
    'answer_contradicted',
    'P1',
    'the API said that more is back',
    ({ expected }) => {
      one(expected.payments, 'P1').lastAnswer = {
        state: 'paid',
        amountFen: 1_000,
        refundedFen: 401,
      }
    },
  ],
  [
    'answer_contradicted',
    'R2',
    'the API said done of what is rejected',
    ({ expected }) => {
      one(expected.refunds, 'R2').lastAnswer = { state: 'done' }
    },
  ],
  [
    'history_differs',
    'R1',
    'a workflow has ended with another state than its row',
    ({ books }) => {
      one(books.workflows, 'refund:shop:R1').result = 'failed'
    },
  ],
  [
    'history_illegal',
    'P1',
    'an activity answered a state that cannot follow',
    ({ books }) => {
      one(books.workflows, 'payment:shop:P1').states = ['paid', 'awaiting_payment', 'paid']
    },
  ],
  [
    'workflow_without_row',
    'refund:shop:R9',
    'a workflow is of no refund',
    ({ books }) => {
      books.workflows.push({
        workflowId: 'refund:shop:R9',
        status: 'RUNNING',
        states: [],
        result: null,
      })
    },
  ],
]

import { randomUUID } from 'node:crypto'

import { addPolicy } from '../../../src/db/policies.js'
import { DEFAULT_POLICY, type ApprovalPolicy } from '../../../src/domain/approval.js'
import { refundWorkflowId } from '../../../src/domain/ids.js'
import { MERCHANT_ID, type Stack } from '../../support/stack.js'
import {
  approved,
  approverId,
  look,
  parked,
  pay,
  paymentIs,
  pending,
  place,
  refundDone,
  refundIs,
  stuck,
  thaw,
  until,
  type Way,
} from '../support/ways.js'

/** Runs `work` while the merchant has this policy. */
async function under<T>(
  stack: Stack,
  policy: Partial<ApprovalPolicy>,
  work: () => Promise<T>,
): Promise<T> {
  const set = async (rules: ApprovalPolicy): Promise<void> => {
    const keyId = await approverId(stack)
    const by = { merchantId: MERCHANT_ID, keyId, actingUser: 'wang.wei' }
    await addPolicy(stack.owner, rules, { ...by, auditId: randomUUID(), now: new Date() })
  }
  await set({ ...DEFAULT_POLICY, ...policy })
  try {
    return await work()
  } finally {
    await set(DEFAULT_POLICY)
  }
}

const say = (stack: Stack, id: string, path: string, body: object) =>
  stack.approver.send('POST', `/v1/refunds/${id}/${path}`, {
    body: { actingUser: 'wang.wei', ...body },
  })

export const REFUND_WAYS: readonly Way[] = [
  {
    name: 'a refund, asked for until it is done',
    through: [
      'refundAtChannel.claim',
      'refundAtChannel.submitRefund',
      'refundAtChannel.recordAnswer',
      'refundAtChannel.store',
      'askAboutRefund.queryRefund',
      'settleRefund.transaction',
      'refundWorkflow.channel.refundAtChannel',
      'refundWorkflow.database.settleRefund',
    ],
    walk: async (stack) => {
      const { payment, refund } = await approved(stack)
      await refundDone(stack, refund.id)
      return payment.id
    },
  },
  {
    name: 'a refund, notified',
    through: ['confirmRefund.', 'refundWorkflow.quick.confirmRefund', 'refundWorkflow.fact'],
    walk: async (stack) => {
      const { payment, refund } = await pending(stack)
      const { control } = stack.sandbox
      await control.clearFaults()
      await stack.approver.decide(refund.id, 'approve')
      await refundIs(
        stack,
        refund.id,
        ({ cause, state }) => cause === 'accepted' || state === 'done',
      )
      // The money arrives, and the notification of it comes before the first question.
      await control.advance(60_000)
      await refundDone(stack, refund.id)
      return payment.id
    },
  },
  {
    name: 'a refund that is rejected',
    through: [
      'refundDecisions.decide',
      'refundWorkflow.decide',
      'refundWorkflow.database.decideRefund',
    ],
    walk: async (stack) => {
      const { payment, refund } = await pending(stack)
      await stack.approver.decide(refund.id, 'reject')
      await refundIs(stack, refund.id, ({ state }) => state === 'rejected')
      return payment.id
    },
  },
  {
    name: 'a refund that nobody decides',
    through: ['refundDecisions.expire', 'refundWorkflow.database.expireRefund'],
    walk: async (stack) =>
      under(stack, { atDeadline: 'close', deadlineSeconds: 120 }, async () => {
        const { payment, refund } = await pending(stack)
        await refundIs(stack, refund.id, ({ state }) => state === 'expired')
        return payment.id
      }),
  },
  {
    name: 'a refund that an operator approves in Temporal',
    through: [
      'refundDecisions.approve',
      'refundWorkflow.approve',
      'refundWorkflow.database.approveByOperator',
    ],
    walk: async (stack) => {
      const { payment, refund } = await pending(stack)
      const workflowId = refundWorkflowId(MERCHANT_ID, refund.outRefundNo)
      const handle = stack.temporal.workflow.getHandle(workflowId)
      await handle.signal('approve', { reason: 'seen the parcel' })
      await refundDone(stack, refund.id)
      return payment.id
    },
  },
  {
    name: 'a refund to a card that takes no money, sent again',
    through: [
      'refundAtChannel.recordUndecided',
      'resolveRefund.apply',
      'refundWorkflow.kick',
      'refundWorkflow.database.resolveRefund',
    ],
    walk: async (stack) => {
      const { payment, refund } = await stuck(stack)
      await say(stack, refund.id, 'retry', { reason: 'the buyer has a new card' })
      await refundIs(
        stack,
        refund.id,
        ({ state, submitCount }) => state === 'needs_attention' && submitCount > 1,
      )
      await thaw(stack, refund)
      await refundDone(stack, refund.id)
      return payment.id
    },
  },
  {
    name: 'a refund that arrives while a person gives it up',
    through: ['resolveRefund.store'],
    walk: async (stack) => {
      const { payment, refund } = await parked(stack)
      // The loop asks far later than the person speaks.
      await look(
        stack,
        `update refunds set due_at = now() + interval '1 hour' where id = $1`,
        refund.id,
      )
      await thaw(stack, refund)
      await say(stack, refund.id, 'resolve', { as: 'failed', evidence: 'told by phone' })
      await refundDone(stack, refund.id)
      return payment.id
    },
  },
  {
    name: 'a refund that takes the card days',
    through: [
      'dueRefunds.queryRefund',
      'dueRefunds.askLater',
      'dueRefunds.store',
      'dueRefunds.signal',
      'dueRefunds.mark',
    ],
    walk: async (stack) => {
      const { payment, refund } = await parked(stack)
      await thaw(stack, refund)
      await refundDone(stack, refund.id)
      return payment.id
    },
  },
  {
    name: 'a refund of a merchant who had stopped refunds',
    through: ['dueRefunds.kick'],
    walk: async (stack) => {
      const { payment, refund } = await pending(stack)
      await look(stack, 'update merchants set refunds_stopped_at = now()')
      await stack.approver.decide(refund.id, 'approve')
      await until(async () => {
        const [row] = await look<{ reason: string | null }>(
          stack,
          'select hold_reason as reason from refunds where id = $1',
          refund.id,
        )
        return row?.reason === 'stopped'
      })
      await look(stack, 'update merchants set refunds_stopped_at = null')
      await refundDone(stack, refund.id)
      return payment.id
    },
  },
  {
    name: 'a refund that is stuck, and its workflow is lost',
    through: ['sweep.'],
    walk: async (stack) => {
      const { payment, refund } = await stuck(stack)
      const workflowId = refundWorkflowId(MERCHANT_ID, refund.outRefundNo)
      await stack.temporal.workflow.getHandle(workflowId).terminate('lost')
      await look(
        stack,
        `update refunds set last_submitted_at = now() - interval '10 minutes' where id = $1`,
        refund.id,
      )
      await thaw(stack, refund)
      await refundDone(stack, refund.id)
      return payment.id
    },
  },
  {
    name: 'money that came late, and goes back by itself',
    through: [
      'surplusRefunds.',
      'paymentWorkflow.database.loadPayment',
      'refundWorkflow.database.loadRefund',
    ],
    walk: async (stack) => {
      const { id, outTradeNo } = await place(stack)
      await until(async () => {
        const { status } = await stack.requester.send('POST', `/v1/payments/${id}/close`)
        return status === 200
      })
      await pay(stack, outTradeNo, true)
      await paymentIs(stack, id, 'paid')
      await until(async () => {
        const [row] = await look<{ state: string }>(
          stack,
          'select state from refunds where payment_id = $1',
          id,
        )
        return row?.state === 'done'
      })
      return id
    },
  },
]

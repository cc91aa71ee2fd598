import { recordDecision } from '../../../src/db/decisions.js'
import { newId } from '../../../src/db/ids.js'
import { storeFact } from '../../../src/db/inbox.js'
import { recordResolution } from '../../../src/db/resolutions.js'
import type { Stack } from '../../support/stack.js'
import {
  accountOf,
  approverId,
  look,
  paid,
  paymentIs,
  pending,
  place,
  refundDone,
  refundIs,
  stuck,
  thaw,
  until,
  type Placed,
  type Way,
} from '../support/ways.js'

/** Longer ago than a message is given to be applied. */
const longAgo = (): Date => new Date(Date.now() - 3 * 60_000)

async function portalRefund(stack: Stack, payment: Placed): Promise<void> {
  const { notifyToken } = await accountOf(stack)
  await stack.sandbox.control.refundByHand({
    mchId: stack.merchant.mchId,
    outTradeNo: payment.outTradeNo,
    amountFen: 700,
    notifyUrl: `${stack.apiUrl}/notify/${notifyToken}/refund`,
  })
}

const externalIs = (stack: Stack, payment: Placed, state: string) =>
  until(async () => {
    const [row] = await look<{ outRefundNo: string; state: string }>(
      stack,
      `select out_refund_no as "outRefundNo", state from refunds
       where payment_id = $1 and origin = 'external'`,
      payment.id,
    )
    return row?.state === state && row
  })

/** A fact of long ago that no workflow was ever told of. */
async function untold(
  stack: Stack,
  kind: 'payment' | 'refund',
  subject: { id: string; key: string; fact: object },
): Promise<void> {
  const { id: accountId } = await accountOf(stack)
  const now = longAgo()
  await storeFact(stack.owner, {
    id: newId(now),
    accountId,
    kind,
    businessKey: subject.key,
    subjectId: subject.id,
    source: kind === 'payment' ? 'query' : 'notify',
    verifiedBy: kind === 'payment' ? 'query' : 'decryption',
    fact: subject.fact,
    now,
  })
}

export const MESSAGE_WAYS: readonly Way[] = [
  {
    name: 'a fact about a payment, never told',
    through: ['redelivery.paymentFact', 'redelivery.markFact'],
    walk: async (stack) => {
      const { id, outTradeNo } = await place(stack)
      await untold(stack, 'payment', { id, key: `${outTradeNo}:closed`, fact: { kind: 'closed' } })
      await paymentIs(stack, id, 'closed')
      return id
    },
  },
  {
    name: 'a notice about a refund, never told',
    through: ['redelivery.refundFact'],
    walk: async (stack) => {
      const { payment, refund } = await pending(stack)
      const key = `${refund.outRefundNo}:success:notify`
      await untold(stack, 'refund', { id: refund.id, key, fact: { status: 'success' } })
      await until(async () => {
        const [row] = await look<{ resent: boolean }>(
          stack,
          'select resent_count > 0 as resent from inbox where subject_id = $1',
          refund.id,
        )
        return row?.resent
      })
      await stack.approver.decide(refund.id, 'approve')
      await refundDone(stack, refund.id)
      return payment.id
    },
  },
  {
    name: 'a decision, never told',
    through: ['redelivery.decision', 'redelivery.markDecision'],
    walk: async (stack) => {
      const { payment, refund } = await pending(stack)
      const now = longAgo()
      await recordDecision(stack.owner, {
        id: newId(now),
        refundId: refund.id,
        verb: 'reject',
        principalId: await approverId(stack),
        actingUser: 'wang.wei',
        reason: 'looked at it',
        now,
      })
      await refundIs(stack, refund.id, ({ state }) => state === 'rejected')
      return payment.id
    },
  },
  {
    name: 'what a person said of a stuck refund, never told',
    through: ['redelivery.resolution', 'redelivery.markResolution'],
    walk: async (stack) => {
      const { payment, refund } = await stuck(stack)
      const now = longAgo()
      await recordResolution(stack.owner, {
        id: newId(now),
        refundId: refund.id,
        verb: 'retry',
        principalId: await approverId(stack),
        actingUser: 'wang.wei',
        evidence: 'the buyer has a new card',
        now,
      })
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
    name: 'a refund of the portal',
    through: ['externalRefunds.queryRefund', 'externalRefunds.book', 'externalRefunds.apply'],
    walk: async (stack) => {
      const payment = await paid(stack)
      await portalRefund(stack, payment)
      await externalIs(stack, payment, 'done')
      return payment.id
    },
  },
  {
    name: 'a refund of the portal to a card that takes no money',
    through: ['externalRefunds.store', 'externalRefunds.signal', 'externalRefunds.mark'],
    walk: async (stack) => {
      const payment = await paid(stack)
      const { mchId } = stack.merchant
      const { outTradeNo } = payment
      await stack.sandbox.control.setCard({ mchId, outTradeNo, frozen: true })
      await portalRefund(stack, payment)
      const { outRefundNo } = await externalIs(stack, payment, 'needs_attention')
      await stack.sandbox.control.resolve({ mchId, outRefundNo })
      await externalIs(stack, payment, 'done')
      return payment.id
    },
  },
  {
    name: 'a refund of the portal that is on its way',
    through: ['externalRefunds.resume'],
    walk: async (stack) => {
      const payment = await paid(stack)
      const { control } = stack.sandbox
      await control.setRate(1)
      await portalRefund(stack, payment)
      const { refunds } = await control.book({ mchId: stack.merchant.mchId })
      const outRefundNo =
        refunds.find(({ outTradeNo }) => outTradeNo === payment.outTradeNo)?.outRefundNo ?? ''
      await noticed(stack, payment, outRefundNo)
      await externalIs(stack, payment, 'refunding')
      await control.setRate(60)
      await externalIs(stack, payment, 'done')
      return payment.id
    },
  },
]

/** A notice that came before its refund had ended. */
async function noticed(stack: Stack, payment: Placed, outRefundNo: string): Promise<void> {
  const { id: accountId } = await accountOf(stack)
  const now = new Date()
  await storeFact(stack.owner, {
    id: newId(now),
    accountId,
    kind: 'external',
    businessKey: `${outRefundNo}:processing:notify`,
    subjectId: accountId,
    source: 'notify',
    verifiedBy: 'decryption',
    fact: { outTradeNo: payment.outTradeNo, outRefundNo, status: 'processing' },
    now,
  })
}

import { randomUUID } from 'node:crypto'

import { newId } from '../../src/db/ids.js'
import type { PaymentRow } from '../../src/db/payments.js'
import { recordResolution } from '../../src/db/resolutions.js'
import type { RefundRow } from '../../src/db/refunds.js'
import type { SubmitOutcome } from '../../src/domain/channel.js'
import { adoptWorkflowId } from '../../src/domain/ids.js'
import { fen } from '../../src/domain/money.js'
import {
  subjectOf,
  workflowIdOfPayment,
  workflowIdOfRefund,
  type EngineWorld,
} from './engine-world.js'
import { paidFact, refundFact } from './seed.js'
import type { WorkflowPath } from './workflow-paths.js'

const HOUR_MS = 3_600_000
const PATIENCE_MS = 60_000
const NO_ANSWER = { kind: 'unknown', code: 'timeout', message: 'no answer', retry: 'soon' } as const
const NO_RIGHT: SubmitOutcome = {
  kind: 'refused',
  code: 'NOAUTH',
  message: 'no right to refund',
  retry: 'after_change',
  hold: 'permission',
}

async function placed(world: EngineWorld, expiresInMs = HOUR_MS): Promise<PaymentRow> {
  const payment = await world.seed.payment({ expiresInMs })
  world.channel.answer('placeOrder', { kind: 'placed', prepayId: 'wx-prepay' })
  await world.engine.placePayment(payment, expiresInMs, PATIENCE_MS)
  return payment
}

async function notify(world: EngineWorld, payment: PaymentRow): Promise<void> {
  const inboxId = await world.seed.paymentFact(payment, paidFact(payment))
  await world.engine.paymentFact(payment, inboxId)
}

const ask = (world: EngineWorld, payment: PaymentRow, purpose: 'query' | 'close') =>
  world.engine.askPayment(payment, { purpose, updateId: randomUUID(), timeoutMs: PATIENCE_MS })

const accepts = (refund: RefundRow): SubmitOutcome => ({
  kind: 'accepted',
  refundId: refundFact(refund, 'processing').refundId,
  refundFen: fen(refund.amountFen),
  settlementFen: fen(refund.amountFen),
})

/** An approved refund whose workflow begins from its row. */
async function resumed(world: EngineWorld, answer: (refund: RefundRow) => SubmitOutcome) {
  const payment = await world.seed.paidPayment()
  const refund = await world.seed.approvedRefund(payment)
  world.channel.answer('submitRefund', answer(refund))
  const subject = subjectOf(refund, payment)
  await world.engine.resumeRefund(subject)
  return { refund, subject, workflowId: workflowIdOfRefund(refund) }
}

/** What an operator sees of it, which says that its workflow has taken note. */
const needs = (world: EngineWorld, workflowId: string, attention: string) =>
  world.until(async () => {
    const { typedSearchAttributes } = await world.client.workflow.getHandle(workflowId).describe()
    return JSON.stringify(typedSearchAttributes.getAll()).includes(`"${attention}"`)
  })

/**
 * Ways that are gone seldom: recorded and replayed like the others, because whoever is on one must
 * be able to go on with newer code; what they cost is not part of the design.
 */
export const RARER_PATHS: readonly Pick<WorkflowPath, 'name' | 'walk'>[] = [
  {
    name: 'payment-asked-for-by-a-person',
    walk: async (world) => {
      const payment = await placed(world)
      world.channel.answer('queryOrder', { kind: 'not_paid' })
      await ask(world, payment, 'query')
      await notify(world, payment)
      return workflowIdOfPayment(payment)
    },
  },
  {
    name: 'payment-closed-by-a-person',
    walk: async (world) => {
      const payment = await placed(world)
      world.channel
        .answer('queryOrder', { kind: 'not_paid' })
        .answer('closeOrder', { kind: 'closed' })
      await ask(world, payment, 'close')
      return workflowIdOfPayment(payment)
    },
  },
  {
    name: 'payment-paid-while-it-closes',
    walk: async (world) => {
      world.channel.answer('queryOrder', NO_ANSWER)
      const callsBefore = world.channel.calls.length
      const payment = await placed(world, 0)
      const newCalls = () => world.channel.names().slice(callsBefore)
      await world.until(async () => newCalls().includes('queryOrder'))
      await notify(world, payment)
      return workflowIdOfPayment(payment)
    },
  },
  {
    // Temporal was lost, and is there again only after the order has expired.
    name: 'payment-resumed-after-its-expiry',
    walk: async (world) => {
      const payment = await world.seed.payment({ expiresInMs: -HOUR_MS })
      world.channel
        .answer('queryOrder', { kind: 'not_paid' })
        .answer('closeOrder', { kind: 'closed' })
      await world.engine.resumePayment(payment)
      return workflowIdOfPayment(payment)
    },
  },
  {
    name: 'payment-adopted',
    walk: async (world) => {
      const { seed, channel, engine } = world
      const { id: accountId, merchantId } = seed.account
      const old = { ...(await seed.payment()), outTradeNo: `OLD-${newId(new Date()).slice(0, 13)}` }
      const transactionId = `4200${old.outTradeNo}`
      channel
        .answer('queryOrder', paidFact(old, { transactionId }))
        .answer('listRefunds', { kind: 'refunds', refunds: [] })
      const order = { appId: old.appId, outTradeNo: old.outTradeNo }
      const adoption = { accountId, principalId: seed.asker, order }
      await engine.adoptPayment(merchantId, adoption, PATIENCE_MS)
      return adoptWorkflowId(merchantId, old.outTradeNo)
    },
  },
  {
    name: 'refund-resumed',
    walk: async (world) => {
      world.channel.answer('queryRefund')
      const { refund, workflowId } = await resumed(world, accepts)
      world.channel.answer('queryRefund', refundFact(refund, 'success'))
      return workflowId
    },
  },
  {
    name: 'refund-held-by-its-account',
    walk: async (world) => {
      const { refund, subject, workflowId } = await resumed(world, () => NO_RIGHT)
      await needs(world, workflowId, 'credentials')
      world.channel
        .answer('submitRefund', accepts(refund))
        .answer('queryRefund', refundFact(refund, 'success'))
      await world.seed.look('delete from channel_holds')
      await world.engine.refundKick(subject)
      return workflowId
    },
  },
  {
    name: 'refund-sent-again-by-a-person',
    walk: async (world) => {
      const refused = { kind: 'refused', code: 'TRADE_OVERDUE', message: 'too old' } as const
      const { refund, subject, workflowId } = await resumed(world, () => refused)
      await needs(world, workflowId, 'refused')
      world.channel
        .answer('submitRefund', accepts(refund))
        .answer('queryRefund', refundFact(refund, 'success'))
      const now = world.seed.clock.now()
      const id = newId(now)
      await recordResolution(world.seed.api, {
        id,
        refundId: refund.id,
        verb: 'retry',
        principalId: world.seed.approver,
        actingUser: 'manager',
        evidence: 'the channel was asked on the phone',
        now,
      })
      await world.engine.refundKick(subject, id)
      return workflowId
    },
  },
]

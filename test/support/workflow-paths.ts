import type { PaymentRow } from '../../src/db/payments.js'
import type { RefundRow } from '../../src/db/refunds.js'
import { fen } from '../../src/domain/money.js'
import type { RefundSubject } from '../../src/domain/refund.js'
import { createDueRefunds } from '../../src/engine/due-refunds.js'
import {
  subjectOf,
  workflowIdOfPayment,
  workflowIdOfRefund,
  type EngineWorld,
} from './engine-world.js'
import { paidFact, refundFact } from './seed.js'

/** A way through a workflow, from its start to its end, and what it may cost. */
export interface WorkflowPath {
  readonly name: string
  readonly events: number
  readonly actions: number
  /** Walks it and answers the id of the workflow, which then ends by itself. */
  readonly walk: (world: EngineWorld) => Promise<string>
}

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const PATIENCE_MS = 60_000
const SECOND_MS = 1_000
/** The events of a refund that waits for its decision: start, workflow task, timer. */
const PENDING_EVENTS = 5
/** The events of a payment that has taken its first step: start, workflow task. */
const BEGUN_EVENTS = 4

const NO_ANSWER = { kind: 'unknown', code: 'timeout', message: 'no answer', retry: 'soon' } as const

async function placed(world: EngineWorld, expiresInMs = HOUR_MS): Promise<PaymentRow> {
  const payment = await world.seed.payment({ expiresInMs })
  world.channel.answer('placeOrder', { kind: 'placed', prepayId: 'wx-prepay' })
  await world.engine.placePayment(payment, expiresInMs, PATIENCE_MS)
  return payment
}

async function notify(world: EngineWorld, payment: PaymentRow, changes = {}): Promise<string> {
  const inboxId = await world.seed.paymentFact(payment, paidFact(payment, changes))
  await world.engine.paymentFact(payment, inboxId)
  return workflowIdOfPayment(payment)
}

async function expired(world: EngineWorld): Promise<PaymentRow> {
  world.channel.answer('queryOrder', { kind: 'not_paid' }).answer('closeOrder', { kind: 'closed' })
  return placed(world, 0)
}

interface Pending {
  readonly refund: RefundRow
  readonly subject: RefundSubject
  readonly workflowId: string
}

async function pending(
  world: EngineWorld,
  decideInMs = DAY_MS,
  expiresInMs = DAY_MS,
): Promise<Pending> {
  const payment = await world.seed.paidPayment()
  const refund = await world.seed.refund(payment, { expiresInMs })
  const subject = subjectOf(refund, payment)
  const workflowId = workflowIdOfRefund(refund)
  await world.engine.startRefund(subject, decideInMs)
  await world.hasEvents(workflowId, PENDING_EVENTS)
  return { refund, subject, workflowId }
}

async function decide(
  world: EngineWorld,
  { refund, subject }: Pending,
  verb: 'approve' | 'reject' | 'cancel',
): Promise<void> {
  const decisionId = await world.seed.decision(refund, verb)
  await world.engine.refundDecision(subject, decisionId)
}

function channelAccepts({ channel }: EngineWorld, refund: RefundRow): void {
  const { refundId, settlementFen } = refundFact(refund, 'processing')
  const refundFen = fen(refund.amountFen)
  channel.answer('submitRefund', { kind: 'accepted', refundId, refundFen, settlementFen })
}

/** Approved, submitted and accepted; the next question is as far off as the time scale says. */
async function accepted(world: EngineWorld): Promise<Pending> {
  const waiting = await pending(world)
  channelAccepts(world, waiting.refund)
  await decide(world, waiting, 'approve')
  await world.until(async () => {
    const { cause } = await world.seed.readRefund(waiting.refund.id)
    return cause === 'accepted'
  })
  return waiting
}

/** Runs with real waits, so that a question to the channel does not come before a message. */
async function inRealTime<T>(world: EngineWorld, work: () => Promise<T>): Promise<T> {
  const { timeScale } = world
  world.timeScale = 1
  try {
    return await work()
  } finally {
    world.timeScale = timeScale
  }
}

/** Lets the loop of the worker ask for a slow refund. */
async function askedByTheLoop(world: EngineWorld, times: number): Promise<void> {
  const tick = createDueRefunds({
    database: world.seed.worker,
    engine: world.engine,
    clock: world.seed.clock,
    openAccount: async () => ({
      account: { timeScale: world.timeScale },
      channel: world.channel,
    }),
    onError: (error) => {
      throw error
    },
  })
  for (let asked = 0; asked < times; asked += 1) {
    await world.until(async () => (await tick()) > 0)
  }
}

/** The events and actions of each path are part of the design: they are Temporal's whole cost. */
export const PAYMENT_PATHS: readonly WorkflowPath[] = [
  {
    name: 'payment-paid',
    events: 15,
    actions: 6,
    walk: async (world) => notify(world, await placed(world)),
  },
  {
    name: 'payment-held',
    events: 16,
    actions: 7,
    walk: async (world) => notify(world, await placed(world), { totalFen: fen(9_999) }),
  },
  {
    name: 'payment-failed',
    events: 8,
    actions: 3,
    walk: async (world) => {
      const payment = await world.seed.payment()
      world.channel.answer('placeOrder', { kind: 'refused', code: 'NOAUTH', message: 'no' })
      await world.engine.placePayment(payment, HOUR_MS, PATIENCE_MS)
      return workflowIdOfPayment(payment)
    },
  },
  {
    name: 'payment-placed-with-patience',
    events: 21,
    actions: 7,
    walk: async (world) => {
      const payment = await world.seed.payment()
      world.channel.answer('placeOrder', NO_ANSWER, { kind: 'placed', prepayId: 'wx-prepay' })
      await world.engine.placePayment(payment, HOUR_MS, PATIENCE_MS)
      return notify(world, payment)
    },
  },
  {
    name: 'payment-expired',
    events: 20,
    actions: 6,
    walk: async (world) => workflowIdOfPayment(await expired(world)),
  },
  {
    name: 'payment-late',
    events: 8,
    actions: 2,
    walk: async (world) => {
      const payment = await expired(world)
      await world.historyOf(workflowIdOfPayment(payment))
      return notify(world, payment)
    },
  },
  {
    // Begun from its row with nothing placed yet, as after everything of Temporal was lost.
    name: 'payment-asked-before-placed',
    events: 26,
    actions: 7,
    walk: async (world) => {
      const payment = await world.seed.payment()
      await world.engine.resumePayment(payment)
      // Its first task is over by then: an order that comes before would cost no second one.
      await world.hasEvents(workflowIdOfPayment(payment), BEGUN_EVENTS)
      world.channel.answer('placeOrder', { kind: 'placed', prepayId: 'wx-prepay' })
      await world.engine.placePayment(payment, HOUR_MS, PATIENCE_MS)
      return notify(world, payment)
    },
  },
]

export const REFUND_PATHS: readonly WorkflowPath[] = [
  {
    name: 'refund-approved',
    events: 19,
    actions: 8,
    walk: (world) =>
      inRealTime(world, async () => {
        const { refund, subject, workflowId } = await accepted(world)
        const fact = refundFact(refund, 'success')
        world.channel.answer('queryRefund', fact)
        await world.engine.refundFact(subject, await world.seed.refundNotice(refund, fact))
        return workflowId
      }),
  },
  {
    name: 'refund-polled',
    events: 20,
    // One of them is the second attempt, which asks.
    actions: 8,
    walk: async (world) => {
      const waiting = await pending(world)
      channelAccepts(world, waiting.refund)
      world.channel.answer('queryRefund', refundFact(waiting.refund, 'success'))
      await decide(world, waiting, 'approve')
      return waiting.workflowId
    },
  },
  {
    name: 'refund-approved-in-temporal',
    events: 20,
    actions: 8,
    walk: async (world) => {
      const { refund, workflowId } = await pending(world)
      channelAccepts(world, refund)
      world.channel.answer('queryRefund', refundFact(refund, 'success'))
      await world.client.workflow.getHandle(workflowId).signal('approve', { reason: 'seen it' })
      return workflowId
    },
  },
  {
    name: 'refund-rejected',
    events: 13,
    actions: 5,
    walk: async (world) => {
      const waiting = await pending(world)
      await decide(world, waiting, 'reject')
      return waiting.workflowId
    },
  },
  {
    name: 'refund-cancelled',
    events: 13,
    actions: 5,
    walk: async (world) => {
      const waiting = await pending(world)
      await decide(world, waiting, 'cancel')
      return waiting.workflowId
    },
  },
  {
    // Reminded of, escalated, closed: a timer and a transaction each.
    name: 'refund-expired',
    events: 24,
    actions: 8,
    walk: async (world) => (await pending(world, 2 * SECOND_MS, 4 * SECOND_MS)).workflowId,
  },
  {
    name: 'refund-not-confirmed',
    events: 32,
    // One of them is the second attempt of the question that begins anew.
    actions: 11,
    walk: async (world) => {
      const { refund, subject, workflowId } = await inRealTime(world, () => accepted(world))
      const processing = refundFact(refund, 'processing')
      world.channel.answer('queryRefund', processing, processing, refundFact(refund, 'success'))
      const inboxId = await world.seed.refundNotice(refund, refundFact(refund, 'success'))
      await world.engine.refundFact(subject, inboxId)
      return workflowId
    },
  },
  {
    name: 'refund-slow-card',
    events: 24,
    // One of them is the question after the submit; those of the loop cost nothing.
    actions: 9,
    walk: async (world) => {
      const waiting = await pending(world)
      const { refund, workflowId } = waiting
      channelAccepts(world, refund)
      world.channel.answer('queryRefund', refundFact(refund, 'processing'))
      await decide(world, waiting, 'approve')
      const read = () => world.seed.readRefund(refund.id)
      await world.until(async () => (await read()).cause === 'accepted')
      const lastSubmittedAt = new Date(world.seed.clock.now().getTime() - HOUR_MS)
      await world.seed.change(refund, { lastSubmittedAt })
      await world.until(async () => (await read()).slowAt !== null)
      await askedByTheLoop(world, 3)
      world.channel.answer('queryRefund', refundFact(refund, 'success'))
      await askedByTheLoop(world, 1)
      return workflowId
    },
  },
  {
    name: 'refund-needs-attention',
    events: 29,
    // Two of them are second attempts.
    actions: 13,
    walk: async (world) => {
      const waiting = await pending(world)
      const { refund } = waiting
      channelAccepts(world, refund)
      const abnormal = refundFact(refund, 'abnormal')
      world.channel.answer('queryRefund', abnormal, abnormal, refundFact(refund, 'success'))
      await decide(world, waiting, 'approve')
      return waiting.workflowId
    },
  },
  {
    name: 'refund-approved-by-itself',
    events: 11,
    actions: 4,
    walk: async (world) => {
      const payment = await world.seed.paidPayment()
      await world.seed.policy({ rules: [{ approvals: 0 }] })
      const refund = await world.seed.refund(payment)
      await world.seed.policy({})
      const workflowId = workflowIdOfRefund(refund)
      channelAccepts(world, refund)
      await inRealTime(world, async () => {
        await world.engine.startRefund(subjectOf(refund, payment), 0, true)
        await world.until(async () => {
          const { cause } = await world.seed.readRefund(refund.id)
          return cause === 'accepted'
        })
      })
      world.channel.answer('queryRefund', refundFact(refund, 'success'))
      const inboxId = await world.seed.refundNotice(refund, refundFact(refund, 'success'))
      await world.engine.refundFact(subjectOf(refund, payment), inboxId)
      return workflowId
    },
  },
]

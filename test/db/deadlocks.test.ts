import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import type { Activities } from '../../src/activities/index.js'
import { bookExternalRefund } from '../../src/db/external-refunds.js'
import { claimReleasedRefunds } from '../../src/db/due-refunds.js'
import { newId } from '../../src/db/ids.js'
import { lockPaymentOfRefund, type PaymentRow } from '../../src/db/payments.js'
import type { RefundChange, RefundRow } from '../../src/db/refunds.js'
import { recordResolution } from '../../src/db/resolutions.js'
import { inTransaction } from '../../src/db/transaction.js'
import type { RefundStatus } from '../../src/domain/channel.js'
import { fen } from '../../src/domain/money.js'
import { createTestDatabase, type TestDatabase } from '../support/database.js'
import { createTestActivities, runActivity } from '../support/run-activity.js'
import { paidFact, refundFact, Seed } from '../support/seed.js'
import { StubChannel } from '../support/stub-channel.js'
import { storeFact } from '../../src/db/inbox.js'
import { refundFactKey } from '../../src/domain/refund.js'
import { meeting } from './support/meeting.js'
import { portalFact } from './support/portal.js'

const ROUNDS = 3

let database: TestDatabase
let seed: Seed
let activities: Activities

beforeAll(async () => {
  database = await createTestDatabase()
  seed = await Seed.create(database)
  activities = createTestActivities(seed, new StubChannel())
})

afterAll(async () => {
  await seed.close()
  await database.drop()
})

/** One transaction: `ready` makes its rows on a payment and answers what starts it. */
interface Transacts {
  readonly name: string
  /** What it needs; a payment's own transactions also take one that is paid. */
  readonly on: 'open' | 'paid'
  readonly ready: (payment: PaymentRow) => Promise<() => Promise<unknown>>
}

const NOW = () => seed.clock.now()
const SENT = { state: 'refunding', cause: 'unknown' } as const
const REFUND_FEN = 10

async function refund(payment: PaymentRow, change: RefundChange = {}): Promise<RefundRow> {
  const made = await seed.approvedRefund(payment, REFUND_FEN)
  return Object.keys(change).length === 0 ? made : seed.change(made, change)
}

async function queried(of: RefundRow, status: RefundStatus): Promise<void> {
  await storeFact(seed.worker, {
    id: newId(NOW()),
    accountId: of.accountId,
    kind: 'refund',
    businessKey: refundFactKey(of.outRefundNo, status, 'query'),
    subjectId: of.id,
    source: 'query',
    verifiedBy: 'query',
    fact: refundFact(of, status),
    now: NOW(),
  })
}

/** Every attempt may end by asking for another one: that is how an activity waits. */
const attempt = (work: Promise<unknown>): Promise<unknown> =>
  work.catch((error: unknown) => {
    if (error instanceof Error && error.name === 'ApplicationFailure') return undefined
    throw error
  })

/** A request finds nothing left where a refund of the portal was faster. */
const requested = (payment: PaymentRow): Promise<unknown> =>
  seed.refund(payment, { amountFen: REFUND_FEN }).catch((error: unknown) => {
    if (String(error).includes('refund_exceeds_payment')) return undefined
    throw error
  })

const TRANSACTIONS: readonly Transacts[] = [
  {
    name: 'settle a payment',
    on: 'open',
    ready: async (payment) => {
      const change = payment.state === 'paid' ? { transactionId: payment.id.slice(0, 32) } : {}
      await seed.paymentFact(payment, paidFact(payment, change))
      return () => activities.settlePayment(payment.id)
    },
  },
  {
    name: 'close a payment',
    on: 'open',
    ready: async (payment) => {
      await seed.paymentFact(payment, { kind: 'closed' })
      return () => activities.settlePayment(payment.id)
    },
  },
  {
    name: 'request a refund',
    on: 'paid',
    ready: async (payment) => () => requested(payment),
  },
  {
    name: 'decide',
    on: 'paid',
    ready: async (payment) => {
      const asked = await seed.refund(payment, { amountFen: REFUND_FEN })
      const decisionId = await seed.decision(asked, 'approve')
      return () => activities.decideRefund(asked.id, decisionId)
    },
  },
  {
    name: 'expire a refund',
    on: 'paid',
    ready: async (payment) => {
      const asked = await seed.refund(payment, { amountFen: REFUND_FEN, expiresInMs: 0 })
      return () => activities.expireRefund(asked.id)
    },
  },
  {
    name: 'claim a submit and book its acceptance',
    on: 'paid',
    ready: async (payment) => {
      const approved = await refund(payment)
      const accepted = { refundFen: fen(REFUND_FEN), settlementFen: fen(REFUND_FEN) }
      const answers = new StubChannel().answer('submitRefund', {
        kind: 'accepted',
        refundId: `at-${approved.outRefundNo}`,
        ...accepted,
      })
      const { refundAtChannel } = createTestActivities(seed, answers)
      return () => attempt(runActivity(refundAtChannel, [approved.id]))
    },
  },
  {
    name: 'claim a submit and hold its account',
    on: 'paid',
    ready: async (payment) => {
      const approved = await refund(payment)
      const answers = new StubChannel().answer('submitRefund', {
        kind: 'not_enough',
        code: 'NOTENOUGH',
        message: '',
      })
      const { refundAtChannel } = createTestActivities(seed, answers)
      return () => attempt(runActivity(refundAtChannel, [approved.id]))
    },
  },
  {
    name: 'apply what a person said of a stuck refund',
    on: 'paid',
    ready: async (payment) => {
      const sent = await refund(payment, { ...SENT, firstSubmittedAt: NOW() })
      const stuck = await seed.change(sent, { state: 'needs_attention', cause: 'refused' })
      const id = newId(NOW())
      const by = { principalId: seed.approver, actingUser: 'manager' }
      const said = { id, refundId: stuck.id, verb: 'retry', evidence: 'seen', now: NOW() } as const
      await recordResolution(seed.api, { ...said, ...by })
      return () => activities.resolveRefund(stuck.id, id)
    },
  },
  {
    name: 'wake what an account no longer holds',
    on: 'paid',
    ready: async (payment) => {
      await refund(payment, { holdReason: 'balance' })
      return () => claimReleasedRefunds(seed.worker, NOW(), 1, 100)
    },
  },
  {
    name: 'confirm a refund',
    on: 'paid',
    ready: async (payment) => {
      const sent = await refund(payment, { ...SENT, firstSubmittedAt: NOW() })
      await queried(sent, 'success')
      return () => activities.settleRefund(sent.id)
    },
  },
  {
    name: 'close a refund',
    on: 'paid',
    ready: async (payment) => {
      const sent = await refund(payment, { ...SENT, firstSubmittedAt: NOW() })
      await queried(sent, 'closed')
      return () => activities.settleRefund(sent.id)
    },
  },
  {
    name: 'book a refund of the portal',
    on: 'paid',
    ready: async (payment) => {
      const fact = portalFact(REFUND_FEN)
      return () =>
        inTransaction(seed.worker, (tx) =>
          bookExternalRefund(tx, { paymentId: payment.id, fact, now: NOW() }),
        )
    },
  },
  {
    name: 'book one of the portal that does not fit',
    on: 'paid',
    ready: async (payment) => {
      await seed.approvedRefund(payment, payment.totalFen / 2)
      const fact = portalFact(payment.totalFen / 2 + REFUND_FEN)
      return () =>
        inTransaction(seed.worker, (tx) =>
          bookExternalRefund(tx, { paymentId: payment.id, fact, now: NOW() }),
        )
    },
  },
  {
    name: 'store a notification',
    on: 'paid',
    ready: async (payment) => () => seed.paymentFact(payment, paidFact(payment)),
  },
]

const PAIRS = TRANSACTIONS.flatMap((one, index) =>
  TRANSACTIONS.slice(index).map((two) => ({ one, two })),
)

/** How many deadlocks PostgreSQL has ever broken in this database. */
async function deadlocks(): Promise<number> {
  const [row] = await seed.look<{ count: number }>(
    `select deadlocks as count from pg_stat_database where datname = current_database()`,
  )
  return row?.count ?? 0
}

/** Counts are told by a connection when it is idle for a while or ends. */
async function deadlocksSoon(least: number): Promise<number> {
  for (let tries = 0; tries < 40 && (await deadlocks()) < least; tries += 1) {
    await seed.look('select pg_stat_force_next_flush(), pg_sleep(0.1)')
    await seed.look('select pg_stat_clear_snapshot()')
  }
  return deadlocks()
}

let orders = 0

/** Two payments; open ones are of one order, so that they share more than their account. */
async function twoPayments(on: Transacts['on']): Promise<PaymentRow[]> {
  if (on === 'paid') return [await seed.paidPayment(), await seed.paidPayment()]
  orders += 1
  const orderRef = `order-${orders}`
  const first = await seed.payment({ orderRef })
  await seed.paymentFact(first, { kind: 'closed' })
  await activities.settlePayment(first.id)
  return [first, await seed.payment({ orderRef })]
}

/** Both transactions on both payments, all at once. */
async function collide({ one, two }: (typeof PAIRS)[number]): Promise<void> {
  const payments = await twoPayments(one.on === 'open' && two.on === 'open' ? 'open' : 'paid')
  const starts: (() => Promise<unknown>)[] = []
  for (const payment of payments) {
    starts.push(await one.ready(payment), await two.ready(payment))
  }
  await Promise.all(starts.map((start) => start()))
}

describe('two transactions at once', () => {
  test.each(PAIRS)('$one.name, $two.name: on one payment and crosswise on two', async (pair) => {
    for (let round = 0; round < ROUNDS; round += 1) await collide(pair)
  })

  test('no pair of them: ever made PostgreSQL break a deadlock', async () => {
    expect(PAIRS).toHaveLength((TRANSACTIONS.length * (TRANSACTIONS.length + 1)) / 2)
    expect(await deadlocksSoon(1)).toBe(0)
  })

  test('one that locks the refund before its payment: is seen here, and begins again', async () => {
    const approved = await refund(await seed.paidPayment())
    const [mine, theirs] = [meeting(), meeting()]
    let tries = 0
    const inverted = inTransaction(seed.worker, async (tx) => {
      tries += 1
      await tx.rows({ text: 'select from refunds where id = $1 for no key update' }, [approved.id])
      mine.arrive()
      await theirs.met
      await tx.rows({ text: 'select from payments where id = $1 for no key update' }, [
        approved.paymentId,
      ])
    })
    const inOrder = inTransaction(seed.worker, async (tx) => {
      tries += 1
      await lockPaymentOfRefund(tx, approved.id)
      theirs.arrive()
      await mine.met
      await tx
        .lock('refund')
        .rows({ text: 'select from refunds where id = $1 for update' }, [approved.id])
    })
    await Promise.all([inverted, inOrder])
    // Once at least: one that begins again at once may come before the other has woken up.
    expect(tries).toBeGreaterThanOrEqual(3)
    expect(await deadlocksSoon(tries - 2)).toBe(tries - 2)
  })
})

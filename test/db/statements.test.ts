import pg from 'pg'
import { afterEach, expect, test, vi } from 'vitest'

import type { ApiContext } from '../../src/api/context.js'
import { requestRefund } from '../../src/api/operations/request-refund.js'
import type { ApiKeyRow } from '../../src/db/api-keys.js'
import { newId } from '../../src/db/ids.js'
import { storeFact } from '../../src/db/inbox.js'
import type { RefundRow } from '../../src/db/refunds.js'
import { fen } from '../../src/domain/money.js'
import { refundFactKey } from '../../src/domain/refund.js'
import { runActivity } from '../support/run-activity.js'
import { paidFact, refundFact } from '../support/seed.js'
import { useWorkshop } from '../support/workshop.js'
import { COSTS, type Cost } from './support/statements.js'

const workshop = useWorkshop()
const { query } = pg.Client.prototype as unknown as { query: (...args: never) => unknown }

afterEach(() => vi.restoreAllMocks())

interface Count {
  statements: number
  roundTrips: number
  /** Sent and not answered: what is sent meanwhile shares their round trip. */
  pending: number
}

/** Counts what is sent from each begin to its commit, and how often an answer was waited for. */
async function transactionsOf(work: () => Promise<unknown>): Promise<Omit<Cost, 'name'>[]> {
  const counts: Count[] = []
  const open = new Map<pg.Client, Count>()
  const spy = vi.spyOn(pg.Client.prototype, 'query')
  spy.mockImplementation(function send(this: pg.Client, ...args: unknown[]) {
    const answer: unknown = Reflect.apply(query, this, args)
    if (args[0] === 'begin') {
      const count = { statements: 0, roundTrips: 0, pending: 0 }
      open.set(this, count)
      counts.push(count)
    }
    const count = open.get(this)
    if (count !== undefined) note(count, answer)
    if (args[0] === 'commit') open.delete(this)
    return answer
  })
  await work()
  return counts.map(({ statements, roundTrips }) => ({ statements, roundTrips }))
}

function note(count: Count, answer: unknown): void {
  count.statements += 1
  if (count.pending === 0) count.roundTrips += 1
  count.pending += 1
  void Promise.resolve(answer).finally(() => {
    count.pending -= 1
  })
}

/** How many statements share a round trip is a matter of time, so those have a bound only. */
const costs = (...of: readonly Cost[]) =>
  of.map(({ statements, roundTrips }) => ({
    statements,
    roundTrips: expect.toSatisfy((trips: number) => trips > 0 && trips <= roundTrips),
  }))

const sentRefund = async (): Promise<RefundRow> => {
  const refund = await workshop.seed.approvedRefund(await workshop.seed.paidPayment())
  const firstSubmittedAt = workshop.clock.now()
  return workshop.seed.change(refund, { state: 'refunding', cause: 'unknown', firstSubmittedAt })
}

test('settling and closing a payment: cost what is written down', async () => {
  const { seed, activities } = workshop
  const [paid, closed] = [await seed.payment({ orderRef: 'order-1' }), await seed.payment()]
  await seed.paymentFact(paid, paidFact(paid))
  await seed.paymentFact(closed, { kind: 'closed' })
  expect(await transactionsOf(() => activities.settlePayment(paid.id))).toEqual(costs(COSTS.settle))
  expect(await transactionsOf(() => activities.settlePayment(closed.id))).toEqual(
    costs(COSTS.close),
  )
})

test('requesting a refund: costs what is written down', async () => {
  const { seed } = workshop
  const payment = await seed.paidPayment()
  // The parts of the API that the transaction has to do with.
  const parts = {
    db: seed.api,
    clock: seed.clock,
    accounts: { ofMerchant: async () => [{ account: seed.account, apiV2Keys: [] }] },
    gate: { run: async () => undefined },
  }
  const client = { id: seed.asker, merchantId: seed.account.merchantId } as ApiKeyRow
  const body = { paymentId: payment.id, amountFen: 1, reason: 'x', actingUser: 'Alice' }
  const call = { client, idempotencyKey: 'key-1', body }
  const counted = await transactionsOf(() => requestRefund(parts as unknown as ApiContext, call))
  expect(counted).toEqual(costs(COSTS.request))
})

test('deciding and expiring a refund: cost what is written down', async () => {
  const { seed, activities } = workshop
  const payment = await seed.paidPayment()
  const [decided, expired] = [
    await seed.refund(payment),
    await seed.refund(payment, { expiresInMs: 0 }),
  ]
  const decisionId = await seed.decision(decided, 'approve')
  expect(await transactionsOf(() => activities.decideRefund(decided.id, decisionId))).toEqual(
    costs(COSTS.decide),
  )
  expect(await transactionsOf(() => activities.expireRefund(expired.id))).toEqual(
    costs(COSTS.expire),
  )
})

test('sending a refund: is a claim, a call, and the booking of its answer', async () => {
  const { seed, activities, channel } = workshop
  const refund = await seed.approvedRefund(await seed.paidPayment())
  const amounts = { refundFen: fen(refund.amountFen), settlementFen: fen(refund.amountFen) }
  channel.answer('submitRefund', { kind: 'accepted', refundId: '5', ...amounts })
  const counted = await transactionsOf(() =>
    runActivity(activities.refundAtChannel, [refund.id]).catch(() => undefined),
  )
  expect(counted).toEqual(costs(COSTS.claim, COSTS.accepted))
})

test('confirming a refund: costs what is written down', async () => {
  const { seed, activities } = workshop
  const refund = await sentRefund()
  await storeFact(seed.worker, {
    id: newId(seed.clock.now()),
    accountId: refund.accountId,
    kind: 'refund',
    businessKey: refundFactKey(refund.outRefundNo, 'success', 'query'),
    subjectId: refund.id,
    source: 'query',
    verifiedBy: 'query',
    fact: refundFact(refund, 'success'),
    now: seed.clock.now(),
  })
  expect(await transactionsOf(() => activities.settleRefund(refund.id))).toEqual(
    costs(COSTS.confirm),
  )
})

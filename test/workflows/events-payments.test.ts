import { randomUUID } from 'node:crypto'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { storeQueriedPayment } from '../../src/db/payment-facts.js'
import type { PaymentRow } from '../../src/db/payments.js'
import { createDuePayments } from '../../src/engine/due-payments.js'
import { createTestDatabase, type TestDatabase } from '../support/database.js'
import { EngineWorld, workflowIdOfPayment } from '../support/engine-world.js'
import { countActions, countEvents, listEvents } from '../support/history.js'
import { paidFact } from '../support/seed.js'
import { useTestTemporal } from '../support/temporal.js'

const temporal = useTestTemporal(import.meta.url)
const HOUR_MS = 3_600_000
const PATIENCE_MS = 60_000
let database: TestDatabase
let world: EngineWorld

beforeAll(async () => {
  database = await createTestDatabase()
  world = await EngineWorld.open({
    temporalAddress: temporal.address,
    taskQueue: temporal.taskQueue,
    workflowBundlePath: temporal.workflowBundle.codePath,
    urls: database,
  })
})

afterAll(async () => {
  await world.close()
  await database.drop()
})

async function placed(): Promise<PaymentRow> {
  const payment = await world.seed.payment({ expiresInMs: HOUR_MS })
  world.channel.answer('placeOrder', { kind: 'placed', prepayId: 'wx-prepay' })
  await world.engine.placePayment(payment, HOUR_MS, PATIENCE_MS)
  return payment
}

const ask = (payment: PaymentRow, purpose: 'query' | 'close') =>
  world.engine.askPayment(payment, { purpose, updateId: randomUUID(), timeoutMs: PATIENCE_MS })

/** The due loop finds it paid; its questions cost nothing, however many there were. */
async function foundByQuery(): Promise<PaymentRow> {
  const payment = await placed()
  const questions = 5
  const answers = Array.from({ length: questions - 1 }, () => ({ kind: 'not_paid' }) as const)
  world.channel.answer('queryOrder', ...answers, paidFact(payment))
  const tick = createDuePayments({
    database: world.seed.worker,
    clock: world.seed.clock,
    engine: world.engine,
    openAccount: async () => ({ account: world.seed.account, channel: world.channel }),
    onError: (error) => {
      throw error
    },
  })
  for (let n = 0; n < questions; n += 1) {
    // The database tells microseconds and the loop's clock milliseconds: "now" may be yet to come.
    await world.seed.look(
      `update payments set due_at = now() - interval '1 s' where id = $1`,
      payment.id,
    )
    await tick()
  }
  return payment
}

const PATHS = [
  { name: 'found by query', events: 15, actions: 6, walk: foundByQuery },
  {
    name: 'asked for by a person, not paid, then notified',
    events: 26,
    actions: 8,
    walk: async () => {
      const payment = await placed()
      world.channel.answer('queryOrder', { kind: 'not_paid' })
      await ask(payment, 'query')
      const fact = await storeQueriedPayment(
        world.seed.worker,
        payment,
        paidFact(payment),
        world.seed.clock.now(),
      )
      await world.engine.paymentFact(payment, fact.id)
      return payment
    },
  },
  {
    name: 'closed by a person',
    events: 22,
    actions: 7,
    walk: async () => {
      const payment = await placed()
      world.channel
        .answer('queryOrder', { kind: 'not_paid' })
        .answer('closeOrder', { kind: 'closed' })
      await ask(payment, 'close')
      return payment
    },
  },
  {
    name: 'already paid when it is placed',
    events: 8,
    actions: 3,
    walk: async () => {
      const payment = await world.seed.payment({ expiresInMs: HOUR_MS })
      world.channel.answer('placeOrder', { kind: 'already_paid' })
      world.channel.answer('queryOrder', paidFact(payment))
      await world.engine.placePayment(payment, HOUR_MS, PATIENCE_MS)
      return payment
    },
  },
] as const

describe('the cost in Temporal of a payment', () => {
  test.each(PATHS)('$name: $events events and $actions actions', async (path) => {
    const history = await world.historyOf(workflowIdOfPayment(await path.walk()))
    const counted = { events: countEvents(history), actions: countActions(history) }
    expect(counted, listEvents(history)).toEqual({ events: path.events, actions: path.actions })
  })
})

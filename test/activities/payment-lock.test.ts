import { beforeAll, describe, expect, test } from 'vitest'

import { bookExternalRefund } from '../../src/db/external-refunds.js'
import { newId } from '../../src/db/ids.js'
import { outcomeOfFact, storeFact } from '../../src/db/inbox.js'
import type { PaymentRow } from '../../src/db/payments.js'
import { changeRefund } from '../../src/db/refunds.js'
import { inTransaction, type Transaction } from '../../src/db/transaction.js'
import { fen } from '../../src/domain/money.js'
import { paymentFactKey } from '../../src/domain/payment.js'
import { meeting } from '../db/support/meeting.js'
import { portalFact } from '../db/support/portal.js'
import { runActivity } from '../support/run-activity.js'
import { paidFact, type Seed } from '../support/seed.js'
import { useWorkshop } from '../support/workshop.js'

const workshop = useWorkshop()
const { clock, channel } = workshop
const PAID_FEN = 10_000
let seed: Seed

beforeAll(() => {
  seed = workshop.seed
})

const isSomebodyWaiting = async (): Promise<boolean> => {
  const waiting = await seed.look(`select from pg_stat_activity
    where datname = current_database() and wait_event_type = 'Lock'`)
  return waiting.length > 0
}

/**
 * Begins `second` while what `first` wrote is not committed, commits it once `second` waits for a
 * lock (or is over, where it waits for none), and answers what became of `second`.
 */
async function overtaking<T>(
  first: (tx: Transaction) => Promise<unknown>,
  second: () => Promise<T>,
): Promise<T> {
  const [written, waited] = [meeting(), meeting()]
  const committing = inTransaction(seed.owner, async (tx) => {
    await first(tx)
    written.arrive()
    await waited.met
  })
  await Promise.race([written.met, committing])
  let isOver = false
  const running = second().finally(() => (isOver = true))
  running.catch(() => undefined)
  await expect
    .poll(async () => isOver || (await isSomebodyWaiting()), { timeout: 60_000 })
    .toBe(true)
  waited.arrive()
  await committing
  return running
}

const byPortal = (tx: Transaction, { id: paymentId, outTradeNo }: PaymentRow, amountFen: number) =>
  bookExternalRefund(tx, {
    paymentId,
    fact: portalFact(amountFen, {
      outRefundNo: `portal-${outTradeNo}`,
      refundId: `50${outTradeNo}`,
    }),
    now: clock.now(),
  })

async function heldPayment(): Promise<PaymentRow> {
  const payment = await seed.payment()
  const less = fen(PAID_FEN - 1_000)
  await seed.paymentFact(payment, paidFact(payment, { totalFen: less, settlementFen: less }))
  await runActivity(workshop.activities.settlePayment, [payment.id])
  return payment
}

/** Records that a person accepts held money; nothing is applied yet. */
async function accept(payment: PaymentRow): Promise<string> {
  const person = { principalId: seed.approver, actingUser: 'Ann', reason: 'asked the buyer' }
  const fact = { kind: 'resolve', as: 'accept', ...person } as const
  const businessKey = paymentFactKey(payment.outTradeNo, fact)
  await storeFact(seed.api, {
    id: newId(clock.now()),
    accountId: payment.accountId,
    kind: 'payment',
    businessKey,
    subjectId: payment.id,
    source: 'manual',
    verifiedBy: 'api_key',
    fact,
    now: clock.now(),
  })
  return businessKey
}

describe("what is not committed of a payment's money: is waited for", () => {
  test('held money is accepted while the portal gives some of it back: no sale', async () => {
    const payment = await heldPayment()
    const businessKey = await accept(payment)
    await overtaking(
      (tx) => byPortal(tx, payment, 4_000),
      () => runActivity(workshop.activities.settlePayment, [payment.id]),
    )
    expect(await outcomeOfFact(seed.api, payment.accountId, businessKey)).toBe('unacceptable')
    expect(await seed.readPayment(payment.id)).toMatchObject({ disposition: 'held' })
  })

  test('a refund is sent while one of the portal takes its money: it stays unsent', async () => {
    const payment = await seed.paidPayment()
    const own = await seed.approvedRefund(payment, 7_000)
    channel.calls.length = 0
    const sending = await overtaking(
      (tx) => byPortal(tx, payment, 7_000),
      () => runActivity(workshop.activities.refundAtChannel, [own.id]).catch(String),
    )
    expect(sending).toContain('More of the payment is spoken for than was paid.')
    expect(channel.names()).toEqual([])
    expect(await seed.readRefund(own.id)).toMatchObject({
      state: 'approved',
      holdReason: 'over_reserved',
    })
  })

  test('a refund of the portal is booked while ours is done: too much is a case', async () => {
    const payment = await seed.paidPayment()
    const now = clock.now()
    const own = await seed.change(await seed.approvedRefund(payment, 7_000), {
      state: 'refunding',
      cause: 'accepted',
      firstSubmittedAt: now,
      lastSubmittedAt: now,
    })
    const booked = await overtaking(
      (tx) => changeRefund(tx, own.id, { state: 'done', cause: null, doneAt: now }, now),
      () => inTransaction(seed.worker, (tx) => byPortal(tx, payment, 7_000)),
    )
    expect(booked).toMatchObject({ outcome: 'exceeds_paid' })
    expect(await seed.readPayment(payment.id)).toMatchObject({ refundedFen: 7_000, reservedFen: 0 })
  })
})

import { beforeAll, describe, expect, test } from 'vitest'

import { bookExternalRefund } from '../../src/db/external-refunds.js'
import { newId } from '../../src/db/ids.js'
import { outcomeOfFact, storeFact } from '../../src/db/inbox.js'
import type { PaymentRow } from '../../src/db/payments.js'
import { inTransaction } from '../../src/db/transaction.js'
import { fen } from '../../src/domain/money.js'
import { paymentFactKey, type HeldResolution } from '../../src/domain/payment.js'
import { balances } from '../../src/ledger/journal.js'
import { portalFact } from '../db/support/portal.js'
import { runActivity } from '../support/run-activity.js'
import { paidFact, type Seed } from '../support/seed.js'
import { useWorkshop } from '../support/workshop.js'

const workshop = useWorkshop()
const { clock } = workshop
const PAID_FEN = 9_000
let seed: Seed

beforeAll(() => {
  seed = workshop.seed
})

/** Less came than was ordered, and before anybody has decided somebody gave back a part of it. */
async function heldAndGivenBack(amountFen: number): Promise<PaymentRow> {
  const payment = await seed.payment()
  const fact = paidFact(payment, { totalFen: fen(PAID_FEN), settlementFen: fen(PAID_FEN) })
  await seed.paymentFact(payment, fact)
  await runActivity(workshop.activities.settlePayment, [payment.id])
  await inTransaction(seed.worker, (tx) =>
    bookExternalRefund(tx, {
      paymentId: payment.id,
      fact: portalFact(amountFen, {
        outRefundNo: `portal-${payment.outTradeNo}`,
        refundId: `50${payment.outTradeNo}`,
      }),
      now: clock.now(),
    }),
  )
  return payment
}

/** Says it and answers what became of it. */
async function decide(payment: PaymentRow, as: HeldResolution): Promise<string | null | undefined> {
  const person = { principalId: seed.approver, actingUser: 'Ann', reason: 'asked the buyer' }
  const fact = { kind: 'resolve', as, ...person } as const
  const businessKey = paymentFactKey(payment.outTradeNo, fact)
  clock.advance(1_000)
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
  await runActivity(workshop.activities.settlePayment, [payment.id])
  return outcomeOfFact(seed.api, payment.accountId, businessKey)
}

const openedOf = (payment: PaymentRow) =>
  seed.look<{ amount: number; state: string }>(
    `select amount_fen as amount, state from refunds where payment_id = $1 and origin = 'system'`,
    payment.id,
  )

describe('held money of which the portal gave back a part', () => {
  test('it goes back: only the rest does, and nothing is spoken for twice', async () => {
    const payment = await heldAndGivenBack(4_000)
    expect(await decide(payment, 'refund')).toBe('surplus')
    expect(await openedOf(payment)).toEqual([{ amount: 5_000, state: 'approved' }])
    expect(await seed.readPayment(payment.id)).toMatchObject({
      disposition: 'surplus',
      reservedFen: 5_000,
      refundedFen: 4_000,
      overReservedFen: 0,
    })
  })

  test('it is taken: no more, since what left suspense is no sale', async () => {
    const payment = await heldAndGivenBack(4_000)
    const before = await balances(seed.owner)
    expect(await decide(payment, 'accept')).toBe('unacceptable')
    expect(await seed.readPayment(payment.id)).toMatchObject({ disposition: 'held' })
    expect(await balances(seed.owner)).toEqual(before)
    expect(await decide(payment, 'refund')).toBe('surplus')
  })

  test('all of it: goes back by nothing more', async () => {
    const payment = await heldAndGivenBack(PAID_FEN)
    expect(await decide(payment, 'refund')).toBe('surplus')
    expect(await openedOf(payment)).toEqual([])
  })
})

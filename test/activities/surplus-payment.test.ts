import { beforeAll, describe, expect, test } from 'vitest'

import { casesOfPayment } from '../../src/db/cases.js'
import { newId } from '../../src/db/ids.js'
import { storeFact } from '../../src/db/inbox.js'
import { markPlaceRefused, type PaymentRow } from '../../src/db/payments.js'
import { findRefundByNumber, type RefundRow } from '../../src/db/refunds.js'
import type { PaidFact } from '../../src/domain/channel.js'
import { fen } from '../../src/domain/money.js'
import { paymentFactKey, type HeldResolution } from '../../src/domain/payment.js'
import { createSurplusRefunds } from '../../src/engine/surplus-refunds.js'
import { balances, journalOf } from '../../src/ledger/journal.js'
import { runActivity } from '../support/run-activity.js'
import { paidFact, refundFact, type Seed } from '../support/seed.js'
import { useWorkshop } from '../support/workshop.js'

const workshop = useWorkshop()
const { clock, channel } = workshop
let seed: Seed

beforeAll(() => {
  seed = workshop.seed
})

const settle = (payment: PaymentRow) => {
  clock.advance(1_000)
  return runActivity(workshop.activities.settlePayment, [payment.id])
}

/** A payment that the channel closed and the buyer paid after all. */
async function latePayment(changes: Partial<PaidFact> = {}): Promise<PaymentRow> {
  const payment = await seed.payment()
  await seed.paymentFact(payment, { kind: 'closed' })
  await settle(payment)
  await seed.paymentFact(payment, paidFact(payment, changes))
  await settle(payment)
  return seed.readPayment(payment.id)
}

async function heldPayment(orderRef?: string): Promise<PaymentRow> {
  const payment = await seed.payment(orderRef === undefined ? {} : { orderRef })
  await seed.paymentFact(
    payment,
    paidFact(payment, { totalFen: fen(9_000), settlementFen: fen(8_000) }),
  )
  await settle(payment)
  return seed.readPayment(payment.id)
}

const refundOf = async (payment: PaymentRow): Promise<RefundRow> => {
  const refund = await findRefundByNumber(seed.api, payment.accountId, `${payment.outTradeNo}-S`)
  if (refund === undefined) throw new Error('No refund was opened.')
  return refund
}

const refundsOf = (payment: PaymentRow) =>
  seed.look<{ id: string }>('select id from refunds where payment_id = $1', payment.id)

const rulesOf = async (...causes: { kind: 'payment' | 'refund'; id: string }[]) =>
  (await journalOf(seed.owner, causes)).map(
    ({ rule, debit, credit, amountFen }) =>
      `${rule} ${debit.split(':')[0]} ${credit.split(':')[0]} ${amountFen}`,
  )

async function decide(payment: PaymentRow, as: HeldResolution): Promise<void> {
  const fact = {
    kind: 'resolve',
    as,
    principalId: seed.approver,
    actingUser: 'Ann',
    reason: 'asked the buyer',
  } as const
  clock.advance(1_000)
  await storeFact(seed.api, {
    id: newId(clock.now()),
    accountId: payment.accountId,
    kind: 'payment',
    businessKey: paymentFactKey(payment.outTradeNo, fact),
    subjectId: payment.id,
    source: 'manual',
    verifiedBy: 'api_key',
    fact,
    now: clock.now(),
  })
}

describe('surplus money', () => {
  test('late: opens its refund with it, approved, of all that was paid', async () => {
    const payment = await latePayment()
    expect(await refundOf(payment)).toMatchObject({
      state: 'approved',
      amountFen: 10_000,
      totalFen: 10_000,
      requestedBy: null,
      requestedFor: 'yuanlu',
      firstSubmittedAt: null,
    })
    expect(payment).toMatchObject({ reservedFen: 10_000, disposition: 'surplus' })
  })

  test('settled again, and told again: opens no second refund', async () => {
    const payment = await latePayment()
    await seed.paymentFact(payment, paidFact(payment, { settlementFen: fen(1) }))
    await settle(payment)
    await settle(payment)
    expect(await refundsOf(payment)).toHaveLength(1)
  })

  test('its refund cannot be opened: the money is not booked, and both come later', async () => {
    const payment = await seed.payment()
    await seed.paymentFact(payment, { kind: 'closed' })
    await settle(payment)
    await seed.paymentFact(payment, paidFact(payment))
    await seed.look('revoke execute on function open_surplus_refund from yuanlu_worker')
    const settled = settle(payment)
    await expect(settled).rejects.toThrow('permission denied for function open_surplus_refund')
    await seed.look('grant execute on function open_surplus_refund to yuanlu_worker')
    expect(await seed.readPayment(payment.id)).toMatchObject({ state: 'closed', paidFen: null })
    expect(await rulesOf({ kind: 'payment', id: payment.id })).toEqual([])
    await settle(payment)
    expect(await seed.readPayment(payment.id)).toMatchObject({ disposition: 'surplus' })
    expect(await refundsOf(payment)).toHaveLength(1)
  })

  test('its refund: leaves from suspense, which is empty then', async () => {
    const payment = await latePayment({ settlementFen: fen(9_500) })
    const refund = await refundOf(payment)
    channel.answer('submitRefund', {
      kind: 'accepted',
      refundId: '5000000000000000000000000001',
      refundFen: fen(10_000),
      settlementFen: fen(9_500),
    })
    await runActivity(workshop.activities.refundAtChannel, [refund.id]).catch(() => undefined)
    clock.advance(60_000)
    channel.answer(
      'queryRefund',
      refundFact(refund, 'success', {
        refundId: '5000000000000000000000000001',
        settlementFen: fen(9_500),
      }),
    )
    await runActivity(workshop.activities.refundAtChannel, [refund.id])
    await runActivity(workshop.activities.settleRefund, [refund.id])
    expect(await seed.readRefund(refund.id)).toMatchObject({ state: 'done' })
    expect(
      await rulesOf({ kind: 'payment', id: payment.id }, { kind: 'refund', id: refund.id }),
    ).toEqual([
      'P2 wechat suspense 9500',
      'J1 refunds_in_transit wechat 9500',
      'J2 suspense refunds_in_transit 9500',
    ])
    expect(await seed.readPayment(payment.id)).toMatchObject({
      reservedFen: 0,
      refundedFen: 10_000,
    })
  })

  test('after a refused placing: goes back too', async () => {
    const payment = await seed.payment()
    await markPlaceRefused(seed.worker, payment.id, 'NOAUTH', clock.now())
    await seed.paymentFact(payment, paidFact(payment))
    await settle(payment)
    expect(await refundOf(payment)).toMatchObject({ state: 'approved' })
  })

  test('late where the merchant revives: is accepted and opens nothing', async () => {
    await seed.look("update merchants set late_payments = 'revive'")
    const payment = await latePayment()
    await seed.look("update merchants set late_payments = 'refund'")
    expect(payment).toMatchObject({ disposition: 'accepted', attention: null })
    expect(await rulesOf({ kind: 'payment', id: payment.id })).toEqual(['P1 wechat sales 10000'])
    expect(await refundsOf(payment)).toEqual([])
  })

  test('two late payments of one order that revives, at once: one is accepted', async () => {
    await seed.look("update merchants set late_payments = 'revive'")
    const payments: PaymentRow[] = []
    for (let n = 0; n < 2; n += 1) {
      const payment = await seed.payment({ orderRef: 'revived' })
      await seed.paymentFact(payment, { kind: 'closed' })
      await settle(payment)
      await seed.paymentFact(payment, paidFact(payment))
      payments.push(payment)
    }
    // One may be refused by the unique key, and comes again as every local activity does.
    await Promise.allSettled(payments.map(settle))
    await Promise.all(payments.map(settle))
    await seed.look("update merchants set late_payments = 'refund'")
    const rows = await Promise.all(payments.map(({ id }) => seed.readPayment(id)))
    expect(new Set(rows.map(({ disposition }) => disposition))).toEqual(
      new Set(['accepted', 'surplus']),
    )
  })
})

describe('a loop that starts what the engine opened by itself', () => {
  test('a crash between settling and starting: loses nothing, and it is started once', async () => {
    const payment = await latePayment()
    const { id } = await refundOf(payment)
    const started: string[] = []
    const errors: unknown[] = []
    let isAway = true
    const tick = createSurplusRefunds({
      database: seed.worker,
      clock,
      onError: (error) => errors.push(error),
      engine: {
        resumeRefund: async (refund) => {
          if (isAway) throw new Error('the engine is away')
          started.push(refund.id)
        },
      },
    })
    expect(await tick()).toBeGreaterThan(0)
    expect(errors.length).toBeGreaterThan(0)
    isAway = false
    await tick()
    expect(started).toContain(id)
    expect(await tick()).toBe(0)
    expect(new Set(started).size).toBe(started.length)
  })
})

describe('held money that a person decides about', () => {
  test('accepted: stands as if it had matched, and the merchant is told', async () => {
    const payment = await heldPayment()
    expect(await casesOfPayment(seed.api, payment.id)).toMatchObject([{ state: 'open' }])
    await decide(payment, 'accept')
    expect(await settle(payment)).toMatchObject({ state: 'paid', attention: null })
    expect(await seed.readPayment(payment.id)).toMatchObject({
      disposition: 'accepted',
      attention: null,
    })
    expect(await rulesOf({ kind: 'payment', id: payment.id })).toEqual([
      'P2 wechat suspense 8000',
      'P3 suspense sales 8000',
      'P3 coupon_cost sales 1000',
    ])
    const events = await seed.look<{ type: string }>(
      'select type from outbox where subject = $1 order by sequence',
      payment.id,
    )
    expect(events.map(({ type }) => type)).toEqual(['payment.held', 'payment.paid'])
    const audited = await seed.look<object>(
      `select actor_kind as kind, acting_user as "user" from audit
       where subject_id = $1 and action = 'payment.paid'`,
      payment.id,
    )
    expect(audited).toEqual([{ kind: 'api_key', user: 'Ann' }])
    expect(await casesOfPayment(seed.api, payment.id)).toMatchObject([
      { kind: 'payment_held', amountFen: 9_000, state: 'resolved' },
    ])
  })

  test('given back: becomes surplus with its refund', async () => {
    const payment = await heldPayment()
    await decide(payment, 'refund')
    expect(await settle(payment)).toMatchObject({ attention: null })
    expect(await refundOf(payment)).toMatchObject({ state: 'approved', amountFen: 9_000 })
    expect(await seed.readPayment(payment.id)).toMatchObject({ disposition: 'surplus' })
  })

  test('two opposite decisions: the first counts, the second is told so', async () => {
    const payment = await heldPayment()
    await decide(payment, 'accept')
    await decide(payment, 'refund')
    await settle(payment)
    const facts = await seed.look<{ outcome: string }>(
      'select outcome from inbox where subject_id = $1 order by stored_at, id',
      payment.id,
    )
    expect(facts.map(({ outcome }) => outcome)).toEqual(['held', 'accepted', 'already_decided'])
    expect(await refundsOf(payment)).toEqual([])
  })

  test('of an order that is paid: is not accepted', async () => {
    const payment = await heldPayment('held-order')
    const other = await seed.payment({ orderRef: 'held-order' })
    await seed.paymentFact(other, paidFact(other))
    await settle(other)
    await decide(payment, 'accept')
    await settle(payment)
    expect(await seed.readPayment(payment.id)).toMatchObject({ disposition: 'held' })
  })

  test('without a decision in its row: the database refuses to release it', async () => {
    const payment = await heldPayment()
    const release = (disposition: string) =>
      seed.worker.rows({ text: 'update payments set disposition = $2 where id = $1' }, [
        payment.id,
        disposition,
      ])
    await expect(release('accepted')).rejects.toMatchObject({ constraint: 'payments_paid_once' })
    await decide(payment, 'accept')
    await settle(payment)
    await expect(release('surplus')).rejects.toMatchObject({ constraint: 'payments_paid_once' })
  })

  test('the book: sums to zero after all of this', async () => {
    const accounts = await balances(seed.owner)
    expect(accounts.reduce((sum, { balanceFen }) => sum + balanceFen, 0)).toBe(0)
  })
})

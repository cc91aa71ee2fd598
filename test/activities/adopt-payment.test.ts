import { beforeAll, beforeEach, describe, expect, test } from 'vitest'

import type { OrderOutcome, PaidFact, RefundFact } from '../../src/domain/channel.js'
import { fen } from '../../src/domain/money.js'
import { balances, journalOf } from '../../src/ledger/journal.js'
import { runActivity } from '../support/run-activity.js'
import type { Seed } from '../support/seed.js'
import { useWorkshop } from '../support/workshop.js'

const workshop = useWorkshop()
const { channel } = workshop
let seed: Seed
let count = 0

beforeAll(() => {
  seed = workshop.seed
})
beforeEach(() => {
  channel.calls.length = 0
})

/** An order that somebody else took, as the channel shows it. */
function foreignOrder(changes: Partial<PaidFact> = {}): PaidFact {
  count += 1
  return {
    kind: 'paid',
    appId: 'wx0000000000000001',
    mchId: seed.account.mchId,
    outTradeNo: `OLD-SHOP-${count}`,
    transactionId: `4200009999${count}`,
    currency: 'CNY',
    totalFen: fen(10_000),
    cashFen: fen(10_000),
    settlementFen: fen(10_000),
    paidAt: '2026-01-15T03:00:00.000Z',
    ...changes,
  }
}

const refundOf = (order: PaidFact, n: number, changes: Partial<RefundFact> = {}): RefundFact => ({
  kind: 'refund',
  status: 'success',
  outTradeNo: order.outTradeNo,
  outRefundNo: `${order.outTradeNo}-R${n}`,
  refundId: `50000${order.transactionId}${n}`,
  refundFen: fen(3_000),
  settlementFen: fen(3_000),
  successAt: '2026-01-20T03:00:00.000Z',
  ...changes,
})

const adopt = (order: PaidFact, by: 'outTradeNo' | 'transactionId' = 'outTradeNo') =>
  runActivity(workshop.activities.adoptPayment, [
    {
      accountId: seed.account.id,
      principalId: seed.asker,
      order:
        by === 'outTradeNo'
          ? { appId: order.appId, outTradeNo: order.outTradeNo }
          : { appId: order.appId, transactionId: order.transactionId },
    },
  ])

const shows = (order: OrderOutcome, ...refunds: RefundFact[]) =>
  channel.answer('queryOrder', order).answer('listRefunds', { kind: 'refunds', refunds })

const paymentsOf = ({ outTradeNo }: PaidFact) =>
  seed.look<{ id: string }>('select id from payments where out_trade_no = $1', outTradeNo)

async function adopted(order: PaidFact): Promise<string> {
  const answer = await adopt(order)
  if (answer.outcome !== 'adopted') throw new Error(`It was not adopted: ${answer.outcome}.`)
  return answer.paymentId
}

describe('adoptPayment', () => {
  test.each(['outTradeNo', 'transactionId'] as const)(
    'a paid order by its %s: is booked as the channel shows it',
    async (by) => {
      const order = foreignOrder({ settlementFen: fen(9_000) })
      shows(order)
      expect(await adopt(order, by)).toMatchObject({ outcome: 'adopted' })
      const [{ id } = { id: '' }] = await paymentsOf(order)
      expect(await seed.readPayment(id)).toMatchObject({
        state: 'paid',
        disposition: 'accepted',
        outTradeNo: order.outTradeNo,
        transactionId: order.transactionId,
        totalFen: 10_000,
        paidFen: 10_000,
        settlementFen: 9_000,
        paidAt: new Date(order.paidAt),
      })
      const lines = await journalOf(seed.owner, [{ kind: 'payment', id }])
      expect(lines.map(({ rule, amountFen }) => `${rule} ${amountFen}`)).toEqual([
        'P1 9000',
        'P1 1000',
      ])
      const events = await seed.look<object>('select type from outbox where subject = $1', id)
      expect(events).toEqual([{ type: 'payment.adopted' }])
    },
  )

  test('its refunds: are booked with it, each as it is', async () => {
    const order = foreignOrder()
    shows(
      order,
      refundOf(order, 1),
      refundOf(order, 2, {
        status: 'processing',
        refundFen: fen(1_000),
        settlementFen: fen(1_000),
      }),
      refundOf(order, 3, { status: 'closed' }),
    )
    const id = await adopted(order)
    expect(await seed.readPayment(id)).toMatchObject({ refundedFen: 3_000, reservedFen: 1_000 })
    const refunds = await seed.look<object>(
      `select origin, state, amount_fen from refunds where payment_id = $1
       order by amount_fen desc`,
      id,
    )
    expect(refunds).toMatchObject([
      { origin: 'external', state: 'done', amount_fen: 3_000 },
      { origin: 'external', state: 'refunding', amount_fen: 1_000 },
    ])
    // The loop that sends again what nobody applied tells the one that is on its way.
    const waiting = await seed.look<object>(
      `select fact->>'outRefundNo' as no from inbox join refunds r on r.id = subject_id
       where r.payment_id = $1 and applied_at is null`,
      id,
    )
    expect(waiting).toEqual([{ no: `${order.outTradeNo}-R2` }])
  })

  test('adopted again, or by its other number: is known and changes nothing', async () => {
    const order = foreignOrder()
    shows(order, refundOf(order, 1))
    await adopted(order)
    expect(await adopt(order)).toEqual({ outcome: 'known' })
    expect(await adopt(order, 'transactionId')).toEqual({ outcome: 'known' })
    expect(await paymentsOf(order)).toHaveLength(1)
  })

  test('ten at once: one adopts', async () => {
    const order = foreignOrder()
    shows(order, refundOf(order, 1))
    const answers = await Promise.all(Array.from({ length: 10 }, () => adopt(order)))
    expect(answers.map(({ outcome }) => outcome).toSorted()).toEqual([
      'adopted',
      ...Array<string>(9).fill('known'),
    ])
  })

  test('a payment of this engine: is known', async () => {
    const payment = await seed.paidPayment()
    const order = foreignOrder({ outTradeNo: payment.outTradeNo })
    shows(order)
    expect(await adopt(order)).toEqual({ outcome: 'known' })
  })

  test.each<[string, OrderOutcome, string]>([
    ['not paid', { kind: 'not_paid' }, 'not_paid'],
    ['closed', { kind: 'closed' }, 'not_paid'],
    ['not known', { kind: 'not_exist' }, 'not_paid'],
    ['not told', { kind: 'unknown', code: 'timeout', message: '', retry: 'soon' }, 'unknown'],
    ['refused', { kind: 'refused', code: 'SIGNERROR', message: '' }, 'unknown'],
  ])('an order that is %s: is not adopted', async (_name, said, outcome) => {
    const order = foreignOrder()
    shows(said)
    expect(await adopt(order)).toEqual({ outcome })
    expect(await paymentsOf(order)).toEqual([])
  })

  test.each<[string, Partial<PaidFact>]>([
    ['of another merchant', { mchId: '1900000002' }],
    ['of another appid', { appId: 'wx0000000000000002' }],
    ['in dollars', { currency: 'USD' }],
    ['settled above its price', { settlementFen: fen(10_001) }],
    ['of a number that no order has', { outTradeNo: 'a@b' }],
  ])('an order %s: is not adopted', async (_name, changes) => {
    const order = foreignOrder()
    shows({ ...order, ...changes })
    expect(await adopt(order)).toEqual({ outcome: 'not_adoptable' })
    expect(await paymentsOf(order)).toEqual([])
  })

  test('refunds that are not told: nothing is adopted, or half would be', async () => {
    const order = foreignOrder()
    shows(order)
    channel.answer('listRefunds', { kind: 'unknown', code: 'timeout', message: '', retry: 'soon' })
    expect(await adopt(order)).toEqual({ outcome: 'unknown' })
    expect(await paymentsOf(order)).toEqual([])
  })

  test('a refund of it: is asked for as of any payment', async () => {
    const order = foreignOrder()
    shows(order, refundOf(order, 1))
    const payment = await seed.readPayment(await adopted(order))
    expect(await seed.refund(payment, { amountFen: 7_000 })).toMatchObject({ state: 'pending' })
    await expect(seed.refund(payment, { amountFen: 1 })).rejects.toThrow('refund_exceeds_payment')
  })

  test('the book: sums to zero after all of this', async () => {
    const accounts = await balances(seed.owner)
    expect(accounts.reduce((sum, { balanceFen }) => sum + balanceFen, 0)).toBe(0)
  })
})

import { beforeEach, describe, expect, test } from 'vitest'

import { newId, newOutRefundNo } from '../../src/db/ids.js'
import { storeFact } from '../../src/db/inbox.js'
import { storeQueriedPayment } from '../../src/db/payment-facts.js'
import type { PaymentRow } from '../../src/db/payments.js'
import type { RefundFact, RefundNotice, RefundStatus } from '../../src/domain/channel.js'
import { fen } from '../../src/domain/money.js'
import { createExternalRefunds } from '../../src/engine/external-refunds.js'
import { failureOf, runActivity } from '../support/run-activity.js'
import { paidFact, refundFact } from '../support/seed.js'
import { useWorkshop } from '../support/workshop.js'

const workshop = useWorkshop()
const { clock, channel } = workshop
const MINUTE_MS = 60_000

let told: string[]
let errors: unknown[]

beforeEach(async () => {
  told = []
  errors = []
  channel.calls.length = 0
  channel.answer('queryRefund').answer('listRefunds')
  clock.advance(60 * MINUTE_MS)
})

const tick = () =>
  createExternalRefunds({
    database: workshop.seed.worker,
    clock,
    openAccount: async () => ({ channel }),
    onError: (error) => errors.push(error),
    engine: {
      refundFact: async ({ id }) => {
        told.push(`fact ${id}`)
      },
      resumeRefund: async ({ id }) => {
        told.push(`resume ${id}`)
      },
    },
  })()

interface Portal {
  readonly payment: PaymentRow
  readonly notice: RefundNotice
}

/** Somebody gave money back in the channel's portal, which has told of it. */
async function portalRefund(refundFen = 4_000, status: RefundStatus = 'success'): Promise<Portal> {
  const payment = await workshop.seed.paidPayment()
  const outRefundNo = newOutRefundNo(clock.now())
  const notice: RefundNotice = {
    kind: 'refund',
    status,
    mchId: payment.mchId,
    outTradeNo: payment.outTradeNo,
    outRefundNo,
    refundId: `50300${outRefundNo.slice(1)}`,
    refundFen: fen(refundFen),
    settlementFen: fen(refundFen),
    totalFen: fen(payment.totalFen),
    source: 'VENDOR_PLATFORM',
  }
  const now = clock.now()
  await storeFact(workshop.seed.api, {
    id: newId(now),
    accountId: payment.accountId,
    kind: 'external',
    businessKey: `${outRefundNo}:${status}:notify`,
    subjectId: payment.accountId,
    source: 'notify',
    verifiedBy: 'decryption',
    fact: notice,
    now,
  })
  return { payment, notice }
}

const refundsOf = (payment: PaymentRow) =>
  workshop.seed.look<{ id: string; state: string; origin: string; outRefundNo: string }>(
    `select id, state, origin, out_refund_no as "outRefundNo" from refunds where payment_id = $1
     order by created_at, id`,
    payment.id,
  )

describe('refunds of the portal', () => {
  test('a notice that the channel confirms: is booked, and lowers what is left', async () => {
    const { payment, notice } = await portalRefund()
    channel.answer('queryRefund', notice)
    expect(await tick()).toBe(1)
    expect(errors).toEqual([])
    const { outRefundNo } = notice
    expect(await refundsOf(payment)).toMatchObject([
      { state: 'done', origin: 'external', outRefundNo },
    ])
    expect(await workshop.seed.readPayment(payment.id)).toMatchObject({ refundedFen: 4_000 })
    expect(told).toEqual([])
    clock.advance(24 * 60 * MINUTE_MS)
    expect(await tick()).toBe(0)
  })

  test('one that is on its way: gets a workflow', async () => {
    const { payment, notice } = await portalRefund(4_000, 'processing')
    channel.answer('queryRefund', notice)
    await tick()
    const [refund] = await refundsOf(payment)
    expect(refund).toMatchObject({ state: 'refunding', origin: 'external' })
    expect(told).toEqual([`resume ${refund?.id}`])
  })

  test('one that the card did not take: is told as a fact', async () => {
    const { payment, notice } = await portalRefund(4_000, 'abnormal')
    channel.answer('queryRefund', notice)
    await tick()
    const [refund] = await refundsOf(payment)
    expect(told).toEqual([`fact ${refund?.id}`])
    expect(await workshop.activities.settleRefund(refund?.id ?? '')).toMatchObject({
      state: 'needs_attention',
      cause: 'abnormal',
    })
  })

  test('a notice that the channel does not confirm: books nothing, ever more rarely', async () => {
    const { payment, notice } = await portalRefund()
    channel.answer('queryRefund', { kind: 'not_exist' })
    const looks: number[] = []
    for (let minute = 0; minute < 20; minute += 1) {
      if ((await tick()) > 0) looks.push(minute)
      clock.advance(MINUTE_MS + 1)
    }
    expect(looks).toEqual([0, 2, 6, 14])
    expect(await refundsOf(payment)).toEqual([])
    channel.answer('queryRefund', notice)
    clock.advance(60 * MINUTE_MS)
    await tick()
    expect(await refundsOf(payment)).toHaveLength(1)
  })

  test('more is spoken for than was paid: what was not sent yet is stopped', async () => {
    const { payment, notice } = await portalRefund(8_000)
    const waiting = await workshop.seed.approvedRefund(payment, 5_000)
    channel.answer('queryRefund', notice)
    await tick()
    expect(errors).toEqual([])
    expect(await failureOf(runActivity(workshop.activities.refundAtChannel, [waiting.id]))).toEqual(
      { type: 'OVER_RESERVED', retryMs: 5 * MINUTE_MS, benign: true },
    )
    expect(await workshop.seed.readRefund(waiting.id)).toMatchObject({
      state: 'approved',
      holdReason: 'over_reserved',
      submitCount: 0,
    })
  })

  test('two workers at once: one of them looks', async () => {
    const { notice } = await portalRefund()
    channel.answer('queryRefund', notice)
    expect((await Promise.all([tick(), tick()])).toSorted()).toEqual([0, 1])
  })
})

describe('a query that shows refunds of an order', () => {
  /** Somebody asks about a payment, and the channel says that it has refunds. */
  async function shown(payment: PaymentRow): Promise<void> {
    const fact = { ...paidFact(payment), hasRefunds: true } as const
    await storeQueriedPayment(workshop.seed.worker, payment, fact, clock.now())
  }

  test('one of ours and one of the portal: the other is booked, once', async () => {
    const { seed } = workshop
    const payment = await seed.paidPayment()
    const own = await seed.approvedRefund(payment, 1_000)
    clock.advance(1_000)
    const ours = refundFact(own, 'processing')
    const portal = refundFact(own, 'success', {
      outRefundNo: `P${own.outRefundNo.slice(1)}`,
      refundId: `7${ours.refundId.slice(1)}`,
      refundFen: fen(2_500),
      settlementFen: fen(2_500),
    })
    channel.answer('listRefunds', { kind: 'refunds', refunds: [ours, portal] })
    for (let asked = 0; asked < 2; asked += 1) {
      await shown(payment)
      expect(await tick()).toBe(1)
      clock.advance(60 * MINUTE_MS)
    }
    expect([errors, told]).toEqual([[], []])
    expect(await refundsOf(payment)).toMatchObject([
      { origin: 'api', state: 'approved' },
      { origin: 'external', state: 'done', outRefundNo: portal.outRefundNo },
    ])
    expect(await seed.readPayment(payment.id)).toMatchObject({ refundedFen: 2_500 })
    expect(channel.calls[0]?.request).toEqual({
      appId: payment.appId,
      outTradeNo: payment.outTradeNo,
    })
  })

  test('not settled yet, or not told: is looked into again', async () => {
    const { seed, activities } = workshop
    const payment = await seed.payment()
    await shown(payment)
    const portal: RefundFact = {
      kind: 'refund',
      status: 'success',
      outTradeNo: payment.outTradeNo,
      outRefundNo: newOutRefundNo(clock.now()),
      refundId: `8${payment.outTradeNo.slice(-20)}`,
      refundFen: fen(300),
      settlementFen: fen(300),
    }
    const listed = { kind: 'refunds', refunds: [portal] } as const
    const silence = { kind: 'unknown', code: 'timeout', message: '', retry: 'soon' } as const
    channel.answer('listRefunds', silence, listed)
    await tick()
    clock.advance(10 * MINUTE_MS)
    await tick()
    expect(await refundsOf(payment)).toEqual([])
    await activities.settlePayment(payment.id)
    clock.advance(60 * MINUTE_MS)
    await tick()
    expect(await refundsOf(payment)).toMatchObject([{ origin: 'external', state: 'done' }])
  })

  test('none after all: is done with', async () => {
    await shown(await workshop.seed.paidPayment())
    channel.answer('listRefunds', { kind: 'refunds', refunds: [] })
    expect(await tick()).toBe(1)
    clock.advance(24 * 60 * MINUTE_MS)
    expect(await tick()).toBe(0)
  })
})

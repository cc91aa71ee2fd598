import { beforeEach, describe, expect, test } from 'vitest'

import { newId } from '../../src/db/ids.js'
import { markFactsSignalled } from '../../src/db/inbox.js'
import { recordResolution } from '../../src/db/resolutions.js'
import { createRedelivery } from '../../src/engine/redelivery.js'
import { paidFact, refundFact } from '../support/seed.js'
import { useWorkshop } from '../support/workshop.js'

const workshop = useWorkshop()
const { clock } = workshop
const PATIENCE_MS = 120_000

let sent: string[]
let errors: unknown[]
let isEngineAway: boolean

beforeEach(() => {
  sent = []
  errors = []
  isEngineAway = false
})

const send = async (text: string) => {
  if (isEngineAway) throw new Error('the engine is away')
  sent.push(text)
}

const tick = () =>
  createRedelivery({
    database: workshop.seed.worker,
    clock,
    onError: (error) => errors.push(error),
    engine: {
      paymentFact: ({ outTradeNo }, id) => send(`payment ${outTradeNo} ${id}`),
      refundFact: ({ outRefundNo, outTradeNo }, id) =>
        send(`refund ${outRefundNo} of ${outTradeNo} ${id}`),
      refundDecision: ({ outRefundNo }, id) => send(`decision ${outRefundNo} ${id}`),
      refundKick: ({ outRefundNo }, id) => send(`kick ${outRefundNo} ${id}`),
    },
  })()

describe('redelivery', () => {
  test('a fact nobody applied: is sent again after two minutes, and again', async () => {
    const payment = await workshop.seed.payment()
    const id = await workshop.seed.paymentFact(payment, paidFact(payment))
    clock.advance(PATIENCE_MS)
    expect(await tick()).toBe(0)
    clock.advance(1)
    expect(await tick()).toBe(1)
    expect(sent).toEqual([`payment ${payment.outTradeNo} ${id}`])
    expect(await tick()).toBe(0)
    clock.advance(2 * PATIENCE_MS + 1)
    expect(await tick()).toBe(1)
    await workshop.activities.settlePayment(payment.id)
    clock.advance(24 * 60 * 60_000)
    expect(await tick()).toBe(0)
  })

  test('a notice that the channel never confirms: is sent again ever more rarely', async () => {
    const refund = await workshop.seed.refund(await workshop.seed.paidPayment())
    await workshop.seed.refundNotice(refund, refundFact(refund, 'success'))
    const minutes: number[] = []
    for (let minute = 0; minute < 70; minute += 1) {
      if ((await tick()) > 0) minutes.push(minute)
      clock.advance(60_001)
    }
    expect(minutes).toEqual([2, 6, 14, 30, 62])
    await workshop.seed.change(refund, { state: 'cancelled' })
    await workshop.activities.settleRefund(refund.id)
  })

  test('a fact that nobody applies: is never given up', async () => {
    const payment = await workshop.seed.payment()
    const id = await workshop.seed.paymentFact(payment, paidFact(payment))
    for (let times = 1; times <= 30; times += 1) {
      clock.advance(24 * 60 * 60_000)
      expect(await tick()).toBe(1)
    }
    expect(sent).toEqual(Array(30).fill(`payment ${payment.outTradeNo} ${id}`))
    await workshop.activities.settlePayment(payment.id)
  })

  test('what a person said of a stuck refund: goes to its workflow', async () => {
    const refund = await workshop.seed.refund(await workshop.seed.paidPayment())
    const id = newId(clock.now())
    await recordResolution(workshop.seed.api, {
      id,
      refundId: refund.id,
      verb: 'retry',
      principalId: workshop.seed.approver,
      actingUser: 'manager',
      evidence: 'a new certificate',
      now: clock.now(),
    })
    clock.advance(PATIENCE_MS + 1)
    expect(await tick()).toBe(1)
    expect(sent).toEqual([`kick ${refund.outRefundNo} ${id}`])
    await workshop.activities.resolveRefund(refund.id, id)
    clock.advance(24 * 60 * 60_000)
    expect(await tick()).toBe(0)
  })

  test('a fact that was signalled: has two minutes from then', async () => {
    const payment = await workshop.seed.payment()
    const id = await workshop.seed.paymentFact(payment, paidFact(payment))
    clock.advance(PATIENCE_MS)
    await markFactsSignalled(workshop.seed.worker, [id], clock.now())
    clock.advance(PATIENCE_MS)
    expect(await tick()).toBe(0)
    clock.advance(1)
    expect(await tick()).toBe(1)
    await workshop.activities.settlePayment(payment.id)
  })

  test('refund facts and decisions: go to the workflow of their refund', async () => {
    const payment = await workshop.seed.paidPayment()
    const refund = await workshop.seed.refund(payment)
    const decisionId = await workshop.seed.decision(refund, 'cancel')
    const factId = await workshop.seed.refundNotice(refund, refundFact(refund, 'success'))
    clock.advance(PATIENCE_MS + 1)
    expect(await tick()).toBe(2)
    expect(sent).toEqual([
      `refund ${refund.outRefundNo} of ${payment.outTradeNo} ${factId}`,
      `decision ${refund.outRefundNo} ${decisionId}`,
    ])
    await workshop.activities.decideRefund(refund.id, decisionId)
    await workshop.activities.settleRefund(refund.id)
    clock.advance(PATIENCE_MS + 1)
    expect(await tick()).toBe(0)
  })

  test('the engine away: nothing is marked, and the next tick tries again', async () => {
    const payment = await workshop.seed.payment()
    await workshop.seed.paymentFact(payment, paidFact(payment))
    clock.advance(PATIENCE_MS + 1)
    isEngineAway = true
    expect(await tick()).toBe(1)
    expect(errors).toEqual([new Error('the engine is away')])
    isEngineAway = false
    expect(await tick()).toBe(1)
    expect(sent).toHaveLength(1)
    await workshop.activities.settlePayment(payment.id)
  })
})

import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { addKey } from '../../src/cli/merchants.js'
import { journalOf } from '../../src/ledger/journal.js'
import { ApiClient, type RefundAnswer } from '../support/api-client.js'
import { eventually, MERCHANT_ID, placed, startStack, type Stack } from '../support/stack.js'

const PATIENCE_MS = 90_000

let stack: Stack
let second: ApiClient

beforeAll(async () => {
  stack = await startStack({ rate: 60 })
  const scopes = ['refunds:decide', 'refunds:read']
  const { key } = await addKey(stack.owner, { merchantId: MERCHANT_ID, name: 'owner', scopes })
  second = new ApiClient(stack.apiUrl, key)
})
afterAll(() => stack.stop())

interface Paid {
  readonly id: string
  readonly outTradeNo: string
}

async function paidPayment(amountFen = 10_000): Promise<Paid> {
  const { id, outTradeNo } = await placed(stack, { amountFen })
  await stack.sandbox.control.pay({ mchId: stack.merchant.mchId, outTradeNo })
  await eventually(async () => (await stack.requester.payment(id)).body.state === 'paid')
  return { id, outTradeNo }
}

/** A refund that is asked for, and approved unless it is to be prepared first. */
async function refund(paymentId: string, amountFen = 300): Promise<RefundAnswer> {
  const { body } = await stack.requester.requestRefund({ paymentId, amountFen })
  await stack.approver.decide(body.id, 'approve')
  return body
}

const when = (
  id: string,
  isSo: (refund: RefundAnswer & { holdReason: string | null }) => boolean,
) =>
  eventually(async () => {
    const { body } = await stack.requester.send<RefundAnswer & { holdReason: string | null }>(
      'GET',
      `/v1/refunds/${id}`,
    )
    return isSo(body) && body
  }, PATIENCE_MS)

const stateIs = (id: string, state: string) => when(id, (now) => now.state === state)

const retry = (id: string) =>
  stack.approver.send<RefundAnswer & { retryOf?: string }>('POST', `/v1/refunds/${id}/retry`, {
    body: { actingUser: 'wang.wei', reason: 'the buyer has a new card' },
  })

const resolve = (by: ApiClient, id: string, as: string, actingUser: string) =>
  by.send<RefundAnswer & { outcome?: string }>('POST', `/v1/refunds/${id}/resolve`, {
    body: { as, actingUser, evidence: 'bank transfer 20260301-7' },
  })

/** A refund to a card that takes no money: accepted, and then back with the merchant. */
async function abnormal(amountFen = 300): Promise<{ paid: Paid; body: RefundAnswer }> {
  const paid = await paidPayment()
  const { mchId } = stack.merchant
  await stack.sandbox.control.setCard({ mchId, outTradeNo: paid.outTradeNo, frozen: true })
  const asked = await refund(paid.id, amountFen)
  const body = await stateIs(asked.id, 'needs_attention')
  expect(body.cause).toBe('abnormal')
  return { paid, body }
}

const rulesOf = async (id: string): Promise<string[]> => {
  const lines = await journalOf(stack.owner, [{ kind: 'refund', id }])
  return lines.map(({ rule }) => rule)
}

describe('a refund that is stuck', () => {
  it('is sent again under its number, stuck again, and done once the card takes it', async () => {
    const { body } = await abnormal()
    const again = await retry(body.id)
    expect([again.status, again.body.state]).toEqual([200, 'refunding'])
    const stuck = await when(
      body.id,
      (now) => now.state === 'needs_attention' && now.submitCount === 2,
    )
    expect(stuck.outRefundNo).toBe(body.outRefundNo)
    const { mchId } = stack.merchant
    await stack.sandbox.control.resolve({ mchId, outRefundNo: body.outRefundNo })
    await stateIs(body.id, 'done')
    expect(await rulesOf(body.id)).toEqual(['J1', 'J4', 'J1', 'J4', 'J1', 'J2'])
    const { refunds } = await stack.sandbox.control.book({ mchId })
    expect(refunds.filter(({ outRefundNo }) => outRefundNo === body.outRefundNo)).toHaveLength(1)
  })

  it('is settled by other means, with evidence and a second person', async () => {
    const { paid, body } = await abnormal()
    const early = await resolve(stack.approver, body.id, 'failed', 'wang.wei')
    expect([early.status, early.body.code]).toEqual([409, 'refund_still_owed'])
    const first = await resolve(stack.approver, body.id, 'settled', 'wang.wei')
    expect([first.status, first.body.outcome]).toEqual([202, 'awaiting_second'])
    const asker = await resolve(second, body.id, 'settled', 'Li.Na')
    expect([asker.status, asker.body.code]).toEqual([409, 'second_person_required'])
    const confirmed = await resolve(second, body.id, 'settled', 'zhao.lei')
    expect([confirmed.status, confirmed.body.state]).toEqual([200, 'settled'])
    expect(await rulesOf(body.id)).toEqual(['J1', 'J4', 'J5'])
    const payment = await stack.requester.payment(paid.id)
    expect(payment.body).toMatchObject({ reservedFen: 0, refundedFen: 0, refundableFen: 9_700 })
  })

  it('fails when the channel closes it, and is asked for again under a new number', async () => {
    const { paid, body } = await abnormal()
    const { mchId } = stack.merchant
    const { outRefundNo } = body
    await stack.sandbox.control.resolve({ mchId, outRefundNo, result: 'REFUNDCLOSE' })
    await stateIs(body.id, 'failed')
    await stack.sandbox.control.setCard({ mchId, outTradeNo: paid.outTradeNo, frozen: false })
    const again = await retry(body.id)
    expect([again.status, again.body.state, again.body.retryOf]).toEqual([201, 'pending', body.id])
    expect(again.body.outRefundNo).not.toBe(outRefundNo)
    await second.decide(again.body.id, 'approve', 'zhao.lei')
    await stateIs(again.body.id, 'done')
  })
})

describe('an account that nothing can be taken of', () => {
  it('with too little money: one refund tries, the other waits, and both resume', async () => {
    const [one, other] = [await paidPayment(), await paidPayment()]
    const { mchId } = stack.merchant
    await stack.sandbox.control.setBalance(mchId, 0)
    const tried = await refund(one.id)
    await when(tried.id, ({ cause }) => cause === 'insufficient_balance')
    const waits = await refund(other.id)
    const held = await when(waits.id, ({ holdReason }) => holdReason === 'balance')
    expect([held.state, held.submitCount]).toEqual(['approved', 0])
    await stack.sandbox.control.setBalance(mchId, null)
    await stateIs(tried.id, 'done')
    await stateIs(waits.id, 'done')
  })

  it('with a wrong key: one refund tries, the other waits until it got through', async () => {
    const [one, other] = [await paidPayment(), await paidPayment()]
    const asked = await stack.requester.requestRefund({ paymentId: one.id, amountFen: 300 })
    const { id, outRefundNo } = asked.body
    await stack.sandbox.control.armFaults([
      { match: { call: 'refund', outRefundNo }, fault: 'error', code: 'SIGNERROR', times: 1 },
    ])
    await stack.approver.decide(id, 'approve')
    await when(id, ({ cause }) => cause === 'credentials')
    const waits = await refund(other.id)
    const held = await when(waits.id, ({ holdReason }) => holdReason === 'credentials')
    expect([held.state, held.submitCount]).toEqual(['approved', 0])
    await stateIs(id, 'done')
    await stateIs(waits.id, 'done')
  })
})

describe('a refund of the portal', () => {
  it('is booked once the channel confirms it, and lowers what can be refunded', async () => {
    const paid = await paidPayment()
    // A refund of ours names the address that the portal then tells of its own.
    await stateIs((await refund((await paidPayment()).id)).id, 'done')
    const { mchId } = stack.merchant
    const { outTradeNo } = paid
    await stack.sandbox.control.refundByHand({ mchId, outTradeNo, amountFen: 4_000 })
    const booked = await eventually(async () => {
      const { body } = await stack.requester.payment(paid.id)
      return body.refundedFen > 0 && body
    }, PATIENCE_MS)
    expect(booked).toMatchObject({ refundedFen: 4_000, refundableFen: 6_000 })
    const above = await stack.requester.requestRefund({ paymentId: paid.id, amountFen: 6_001 })
    expect(above.body.code).toBe('refund_exceeds_payment')
  })
})

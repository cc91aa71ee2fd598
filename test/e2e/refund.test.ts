import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { refundWorkflowId } from '../../src/domain/ids.js'
import { journalOf } from '../../src/ledger/journal.js'
import { approveSignal } from '../../src/workflows/messages.js'
import { eventually, MERCHANT_ID, placed, startStack, type Stack } from '../support/stack.js'

let stack: Stack

beforeAll(async () => {
  stack = await startStack({ rate: 60, operatorLimitFen: 5_000 })
})
afterAll(() => stack.stop())

async function paidPayment(amountFen = 10_000): Promise<string> {
  const body = await placed(stack, { amountFen })
  await stack.sandbox.control.pay({ mchId: stack.merchant.mchId, outTradeNo: body.outTradeNo })
  await eventually(async () => (await stack.requester.payment(body.id)).body.state === 'paid')
  return body.id
}

const stateIs = (id: string, state: string) =>
  eventually(async () => {
    const { body } = await stack.requester.refund(id)
    return body.state === state && body
  })

const workflowOf = (outRefundNo: string) =>
  stack.temporal.workflow.getHandle(refundWorkflowId(MERCHANT_ID, outRefundNo))

describe('a refund', () => {
  it('is requested, approved, sent with the certificate, confirmed and booked', async () => {
    const paymentId = await paidPayment()
    const asked = await stack.requester.requestRefund({ paymentId, amountFen: 4_000 })
    expect([asked.status, asked.body.state]).toEqual([201, 'pending'])
    const reserved = await stack.requester.payment(paymentId)
    expect(reserved.body).toMatchObject({ reservedFen: 4_000, refundableFen: 6_000 })
    const approved = await stack.approver.decide(asked.body.id, 'approve')
    expect(approved.status).toBe(200)
    const done = await stateIs(asked.body.id, 'done')
    expect(done.submitCount).toBe(1)
    const payment = await stack.requester.payment(paymentId)
    expect(payment.body).toMatchObject({ reservedFen: 0, refundedFen: 4_000 })
    const lines = await journalOf(stack.owner, [{ kind: 'refund', id: done.id }])
    expect(lines.map(({ rule, amountFen }) => [rule, amountFen])).toEqual([
      ['J1', 4_000],
      ['J2', 4_000],
    ])
    const { refunds } = await stack.sandbox.control.book({ mchId: stack.merchant.mchId })
    const refund = refunds.find(({ outRefundNo }) => outRefundNo === done.outRefundNo)
    expect(refund?.clientCertSerial).toBe(stack.merchant.serialNo)
  })

  it('is refused to the one who asked, and to a key without the scope', async () => {
    const paymentId = await paidPayment()
    const { body } = await stack.requester.requestRefund({ paymentId, amountFen: 100 })
    const self = await stack.approver.decide(body.id, 'approve', 'Li.Na')
    expect([self.status, self.body.code]).toEqual([409, 'same_principal'])
    const other = await stack.requester.decide(body.id, 'approve')
    expect([other.status, other.body.code]).toEqual([403, 'forbidden'])
    expect((await stack.requester.refund(body.id)).body.state).toBe('pending')
  })

  it('is rejected for good: approving it afterwards says so', async () => {
    const paymentId = await paidPayment()
    const { body } = await stack.requester.requestRefund({ paymentId, amountFen: 100 })
    const rejected = await stack.approver.decide(body.id, 'reject')
    expect([rejected.status, rejected.body.state]).toEqual([200, 'rejected'])
    const approved = await stack.approver.decide(body.id, 'approve')
    expect([approved.status, approved.body.code]).toEqual([409, 'refund_state_conflict'])
    const payment = await stack.requester.payment(paymentId)
    expect(payment.body).toMatchObject({ reservedFen: 0, refundableFen: 10_000 })
  })

  it('is cancelled by the one who asked while it is pending', async () => {
    const paymentId = await paidPayment()
    const { body } = await stack.requester.requestRefund({ paymentId, amountFen: 100 })
    const cancelled = await stack.requester.decide(body.id, 'cancel', 'li.na')
    expect([cancelled.status, cancelled.body.state]).toEqual([200, 'cancelled'])
  })

  it('is approved by a raw signal up to the operator limit, and not above it', async () => {
    const paymentId = await paidPayment()
    const small = await stack.requester.requestRefund({ paymentId, amountFen: 5_000 })
    const large = await stack.requester.requestRefund({ paymentId, amountFen: 5_000 - 1 })
    await workflowOf(small.body.outRefundNo).signal(approveSignal, { reason: 'seen the parcel' })
    await stateIs(small.body.id, 'done')
    const over = await paidPayment(20_000)
    const tooLarge = await stack.requester.requestRefund({ paymentId: over, amountFen: 5_001 })
    await workflowOf(tooLarge.body.outRefundNo).signal(approveSignal, {})
    const outcome = await eventually(async () => {
      const [row] = await stack.owner.rows<{ outcome: string; principal_kind: string }>(
        { text: 'select outcome, principal_kind from refund_decisions where refund_id = $1' },
        [tooLarge.body.id],
      )
      return row?.outcome ? row : undefined
    })
    expect(outcome).toEqual({
      outcome: 'over_operator_limit',
      principal_kind: 'temporal-operator',
    })
    expect((await stack.requester.refund(tooLarge.body.id)).body.state).toBe('pending')
    expect((await stack.requester.refund(large.body.id)).body.state).toBe('pending')
  })

  it('is refused when nothing was paid, and above what is left', async () => {
    const { body } = await stack.requester.createPayment({ amountFen: 500 })
    const unpaid = await stack.requester.requestRefund({ paymentId: body.id, amountFen: 100 })
    expect([unpaid.status, unpaid.body.code]).toEqual([409, 'payment_not_paid'])
    const paymentId = await paidPayment(500)
    const above = await stack.requester.requestRefund({ paymentId, amountFen: 501 })
    expect([above.status, above.body.code, above.body.leftFen]).toEqual([
      409,
      'refund_exceeds_payment',
      500,
    ])
  })

  it('needs a person when the card is frozen, keeps its amount and is asked for on', async () => {
    const paymentId = await paidPayment()
    const { body } = await stack.requester.requestRefund({ paymentId, amountFen: 300 })
    await stack.sandbox.control.armFaults([
      { match: { call: 'refund', outRefundNo: body.outRefundNo }, fault: 'change', times: 1 },
    ])
    await stack.approver.decide(body.id, 'approve')
    const stuck = await stateIs(body.id, 'needs_attention')
    expect(stuck.cause).toBe('abnormal')
    const payment = await stack.requester.payment(paymentId)
    expect(payment.body).toMatchObject({ reservedFen: 300, refundedFen: 0 })
    const lines = await journalOf(stack.owner, [{ kind: 'refund', id: body.id }])
    expect(lines.map(({ rule }) => rule)).toEqual(['J1', 'J4'])
    const described = await eventually(async () => {
      const { typedSearchAttributes } = await workflowOf(body.outRefundNo).describe()
      const text = JSON.stringify([...typedSearchAttributes.getAll()])
      return text.includes('abnormal') && text
    })
    expect(described).toContain('YuanluAttention')
  })

  it('goes again with the same number when the answer was lost, and is one refund', async () => {
    const paymentId = await paidPayment()
    const { body } = await stack.requester.requestRefund({ paymentId, amountFen: 300 })
    await stack.sandbox.control.armFaults([
      {
        match: { call: 'refund', outRefundNo: body.outRefundNo },
        fault: 'timeout_after',
        ms: 50,
        times: 1,
      },
      // A notification would tell of it before the number goes again.
      {
        match: { call: 'notify_refund', outRefundNo: body.outRefundNo },
        fault: 'lost',
        times: 1_000,
      },
    ])
    await stack.approver.decide(body.id, 'approve')
    const done = await stateIs(body.id, 'done')
    expect(done.submitCount).toBe(2)
    const { refunds } = await stack.sandbox.control.book({ mchId: stack.merchant.mchId })
    expect(refunds.filter(({ outRefundNo }) => outRefundNo === body.outRefundNo)).toHaveLength(1)
  })

  it('resumes by itself when the merchant balance was too low', async () => {
    const paymentId = await paidPayment()
    const { body } = await stack.requester.requestRefund({ paymentId, amountFen: 300 })
    await stack.sandbox.control.armFaults([
      { match: { call: 'refund', outRefundNo: body.outRefundNo }, fault: 'not_enough', times: 1 },
    ])
    await stack.approver.decide(body.id, 'approve')
    await eventually(async () => {
      const refund = await stack.requester.refund(body.id)
      return refund.body.cause === 'insufficient_balance'
    })
    await stateIs(body.id, 'done')
  })
})

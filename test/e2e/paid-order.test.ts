import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { paymentWorkflowId } from '../../src/domain/ids.js'
import { fen } from '../../src/domain/money.js'
import { balances, journalOf } from '../../src/ledger/journal.js'
import { createWeChatChannel } from '../../src/wechat/channel.js'
import { OPENID } from '../support/api-client.js'
import { countActions, countEvents } from '../support/history.js'
import {
  eventually,
  MERCHANT_ID,
  placed,
  startStack,
  type Stack,
  UNBOUND_APP_ID,
} from '../support/stack.js'

const CHANNEL = { signType: 'MD5', opUserId: 'test' } as const

let stack: Stack

beforeAll(async () => {
  stack = await startStack({ rate: 60 })
})
afterAll(() => stack.stop())

const paid = async (id: string) =>
  eventually(async () => {
    const { body } = await stack.requester.payment(id)
    return body.state === 'paid' && body
  })

const pay = (outTradeNo: string) =>
  stack.sandbox.control.pay({ mchId: stack.merchant.mchId, outTradeNo })

const inboxOf = (subjectId: string) =>
  stack.owner.rows<{ source: string; outcome: string; times_seen: number }>(
    { text: 'select source, outcome, times_seen from inbox where subject_id = $1' },
    [subjectId],
  )

describe('a paid order', () => {
  it('is placed, paid in the sandbox, notified, and booked once', async () => {
    const created = await placed(stack, { amountFen: 1234 })
    expect(created.state).toBe('awaiting_payment')
    expect(created.frontEnd?.package).toMatch(/^prepay_id=/)
    await pay(created.outTradeNo)
    const payment = await paid(created.id)
    expect(payment).toMatchObject({ disposition: 'accepted', paidFen: 1234, refundableFen: 1234 })
    const lines = await journalOf(stack.owner, [{ kind: 'payment', id: payment.id }])
    expect(lines.map(({ rule, amountFen }) => [rule, amountFen])).toEqual([['P1', 1234]])
    expect(await inboxOf(payment.id)).toEqual([
      { source: 'notify', outcome: 'accepted', times_seen: 1 },
    ])
  })

  it('costs fifteen events and six actions', async () => {
    const body = await placed(stack)
    await pay(body.outTradeNo)
    await paid(body.id)
    const handle = stack.temporal.workflow.getHandle(
      paymentWorkflowId(MERCHANT_ID, body.outTradeNo),
    )
    await handle.result()
    const history = await handle.fetchHistory()
    expect([countEvents(history), countActions(history)]).toEqual([15, 6])
  })

  it('is found by asking when its notification is lost', async () => {
    const body = await placed(stack)
    await stack.sandbox.control.armFaults([
      {
        match: { call: 'notify_payment', outTradeNo: body.outTradeNo },
        fault: 'lost',
        times: 1000,
      },
    ])
    await pay(body.outTradeNo)
    await paid(body.id)
    const notifications = await stack.sandbox.control.notifications({ outTradeNo: body.outTradeNo })
    expect(notifications.flatMap(({ tries }) => tries.map(({ outcome }) => outcome))).toContain(
      'lost',
    )
    expect(await inboxOf(body.id)).toEqual([
      { source: 'query', outcome: 'accepted', times_seen: 1 },
    ])
  })

  it('is booked once however often its notification comes', async () => {
    const body = await placed(stack)
    await stack.sandbox.control.armFaults([
      {
        match: { call: 'notify_payment', outTradeNo: body.outTradeNo },
        fault: 'duplicate',
        times: 1,
      },
    ])
    await pay(body.outTradeNo)
    await paid(body.id)
    const [notification] = await stack.sandbox.control.notifications({
      outTradeNo: body.outTradeNo,
    })
    await stack.sandbox.control.resend(notification?.id ?? '')
    await eventually(async () => ((await inboxOf(body.id))[0]?.times_seen ?? 0) >= 3)
    const lines = await journalOf(stack.owner, [{ kind: 'payment', id: body.id }])
    expect(lines).toHaveLength(1)
  })

  it('is closed at the channel when nobody pays until its expiry', async () => {
    const { body } = await stack.requester.createPayment({ expiresInSeconds: 300 })
    await eventually(async () => (await stack.requester.payment(body.id)).body.state === 'closed')
    const { orders } = await stack.sandbox.control.book({ mchId: stack.merchant.mchId })
    const order = orders.find(({ outTradeNo }) => outTradeNo === body.outTradeNo)
    expect(order?.tradeState).toBe('CLOSED')
  })

  it('is failed when the channel refuses to place it', async () => {
    // Somebody else placed another order under this number before.
    const outTradeNo = 'TAKEN-BY-ANOTHER'
    const { url: baseUrl, caPem } = stack.sandbox
    const channel = createWeChatChannel({ ...stack.merchant, ...CHANNEL, baseUrl, caPem })
    const { appId } = stack.merchant
    const order = { appId, outTradeNo, body: 'x', totalFen: fen(5), payerIp: '127.0.0.1' }
    const notifyUrl = `${stack.apiUrl}/notify/x/payment`
    await channel.placeOrder({ ...order, openid: OPENID, notifyUrl }, { urgency: 'waiting' })
    await channel.close()
    const answer = await stack.requester.createPayment({ outTradeNo })
    expect([answer.status, answer.body.code]).toEqual([422, 'payment_failed'])
  })

  it('answers 202 when the channel gives no answer that counts, and goes on trying', async () => {
    const answer = await stack.requester.createPayment({ appId: UNBOUND_APP_ID })
    expect([answer.status, answer.body.state]).toEqual([202, 'created'])
  })

  it('answers the first payment again to the same key, freshly signed', async () => {
    const key = 'the-same-key'
    const first = await stack.requester.createPayment({ amountFen: 77 }, key)
    const again = await stack.requester.createPayment({ amountFen: 77 }, key)
    const other = await stack.requester.createPayment({ amountFen: 78 }, key)
    expect(again.body.id).toBe(first.body.id)
    expect(again.body.frontEnd?.package).toBe(first.body.frontEnd?.package)
    expect(again.body.frontEnd?.paySign).not.toBe(first.body.frontEnd?.paySign)
    expect([other.status, other.body.code]).toEqual([409, 'idempotency_key_reused'])
  })
})

describe('the book', () => {
  it('sums to zero after all of this', async () => {
    const sums = await balances(stack.owner)
    expect(sums.reduce((sum, { balanceFen }) => sum + balanceFen, 0)).toBe(0)
    expect(sums.length).toBeGreaterThan(1)
  })
})

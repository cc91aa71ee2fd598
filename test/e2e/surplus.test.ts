import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { newId } from '../../src/db/ids.js'
import { storeFact } from '../../src/db/inbox.js'
import { fen } from '../../src/domain/money.js'
import { journalOf } from '../../src/ledger/journal.js'
import { createWeChatChannel } from '../../src/wechat/channel.js'
import type { Answer, PaymentAnswer, RefundAnswer } from '../support/api-client.js'
import { OPENID } from '../support/api-client.js'
import { eventually, placed, startStack, type Stack } from '../support/stack.js'

let stack: Stack

beforeAll(async () => {
  stack = await startStack({ rate: 60 })
})
afterAll(() => stack.stop())

const pay = (outTradeNo: string) =>
  stack.sandbox.control.pay({ mchId: stack.merchant.mchId, outTradeNo })

const create = (amountFen: number): Promise<PaymentAnswer> => placed(stack, { amountFen })

/** Asks until the channel's word came in time, as the answer says one may. */
const answered = <Body extends { code?: string }>(ask: () => Promise<Answer<Body>>) =>
  eventually(async () => {
    const answer = await ask()
    return answer.status !== 503 && answer
  }, 60_000)

const payment = async (id: string) => (await stack.requester.payment(id)).body

/** A close that nobody told the engine of yet; it is applied with the next fact. */
async function closeBehindTheBack({ id, outTradeNo }: PaymentAnswer): Promise<void> {
  const [account] = await stack.owner.rows<{ id: string }>(
    { text: 'select id from channel_accounts' },
    [],
  )
  const now = new Date()
  await storeFact(stack.owner, {
    id: newId(now),
    accountId: account?.id ?? '',
    kind: 'payment',
    businessKey: `${outTradeNo}:closed`,
    subjectId: id,
    source: 'query',
    verifiedBy: 'query',
    fact: { kind: 'closed' },
    now,
  })
}

const refundsOf = async (paymentId: string) =>
  (
    await stack.requester.send<{ items: RefundAnswer[] }>(
      'GET',
      `/v1/refunds?paymentId=${paymentId}`,
    )
  ).body.items

describe('money that came late', () => {
  it('goes back by itself, from suspense, and nobody approves it', async () => {
    const created = await create(700)
    await closeBehindTheBack(created)
    await pay(created.outTradeNo)
    const surplus = await eventually(async () => {
      const found = await payment(created.id)
      return found.state === 'paid' && found
    })
    expect(surplus).toMatchObject({ disposition: 'surplus', attention: 'late', refundableFen: 0 })
    const [refund] = await eventually(async () => {
      const refunds = await refundsOf(created.id)
      return refunds[0]?.state === 'done' && refunds
    }, 60_000)
    expect(refund).toMatchObject({ amountFen: 700, outRefundNo: `${created.outTradeNo}-S` })
    const lines = await journalOf(stack.owner, [
      { kind: 'payment', id: created.id },
      { kind: 'refund', id: refund?.id ?? '' },
    ])
    expect(lines.map(({ rule, debit, credit }) => [rule, debit, credit].join(' '))).toEqual([
      expect.stringMatching(/^P2 wechat:.* suspense:/),
      expect.stringMatching(/^J1 refunds_in_transit:.* wechat:/),
      expect.stringMatching(/^J2 suspense:.* refunds_in_transit:/),
    ])
    const book = await stack.sandbox.control.book({ mchId: stack.merchant.mchId })
    expect(book.refunds).toMatchObject([{ outTradeNo: created.outTradeNo, refundFee: 700 }])
  })
})

describe('a payment that a person asks for or closes', () => {
  const act = (id: string, verb: 'query' | 'close') =>
    answered(() =>
      stack.requester.send<PaymentAnswer & { channel?: { said: string } }>(
        'POST',
        `/v1/payments/${id}/${verb}`,
      ),
    )

  it('not paid: is told so, closed on request, and closed again without harm', async () => {
    const created = await create(100)
    expect((await act(created.id, 'query')).body.channel).toMatchObject({ said: 'not_paid' })
    for (let n = 0; n < 2; n += 1) {
      const closed = await act(created.id, 'close')
      expect([closed.status, closed.body.state]).toEqual([200, 'closed'])
    }
    expect((await act(created.id, 'query')).body.channel).toMatchObject({ said: 'closed' })
  })

  it('paid with its notification lost: is booked by asking, and cannot be closed', async () => {
    const created = await create(100)
    const { outTradeNo } = created
    await stack.sandbox.control.armFaults([
      { match: { call: 'notify_payment', outTradeNo }, fault: 'lost', times: 1_000 },
    ])
    await pay(outTradeNo)
    const closing = await act(created.id, 'close')
    expect([closing.status, closing.body.code]).toEqual([409, 'payment_paid'])
    expect(await payment(created.id)).toMatchObject({ state: 'paid', disposition: 'accepted' })
    expect((await act(created.id, 'query')).body.channel).toMatchObject({ said: 'paid' })
  })
})

describe('a payment that was taken before this engine', () => {
  it('is adopted as the channel shows it, and can then be refunded', async () => {
    const { mchId, appId, apiV2Key } = stack.merchant
    const channel = createWeChatChannel({
      mchId,
      apiV2Key,
      signType: 'MD5',
      opUserId: mchId,
      baseUrl: stack.sandbox.url,
      caPem: stack.merchant.caPem,
    })
    const outTradeNo = 'OLD-SHOP-0001'
    const order = {
      appId,
      outTradeNo,
      body: '旧店-茶',
      totalFen: fen(4_200),
      payerIp: '203.0.113.7',
      openid: OPENID,
      notifyUrl: `${stack.apiUrl}/notify/nobody/payment`,
    }
    expect(await channel.placeOrder(order, { urgency: 'waiting' })).toMatchObject({
      kind: 'placed',
    })
    await channel.close()
    const adopt = () =>
      answered(() =>
        stack.requester.send<PaymentAnswer>('POST', '/v1/payments/adopt', {
          body: { appId, outTradeNo },
        }),
      )
    const unpaid = await adopt()
    expect([unpaid.status, unpaid.body.code]).toEqual([409, 'order_not_paid'])
    await pay(outTradeNo)
    const adopted = await adopt()
    expect([adopted.status, adopted.body.state, adopted.body.paidFen]).toEqual([201, 'paid', 4_200])
    const again = await adopt()
    expect([again.status, again.body.code]).toEqual([409, 'payment_known'])
    const asked = await stack.requester.requestRefund({
      paymentId: adopted.body.id,
      amountFen: 4_200,
    })
    expect(asked.status).toBe(201)
    await stack.approver.decide(asked.body.id, 'approve')
    await eventually(
      async () => (await stack.requester.refund(asked.body.id)).body.state === 'done',
    )
  })
})

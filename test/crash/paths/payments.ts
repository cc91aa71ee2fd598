import { createWeChatChannel } from '../../../src/wechat/channel.js'
import { fen } from '../../../src/domain/money.js'
import { OPENID } from '../../support/api-client.js'
import type { Stack } from '../../support/stack.js'
import {
  look,
  loseNotifications,
  newNumber,
  paid,
  pay,
  paymentIs,
  place,
  until,
  type Way,
} from '../support/ways.js'

/** The channel does the first placing without a word; the second it cannot do for now. */
async function placedUnheard(stack: Stack, more: object[] = []): Promise<string> {
  const outTradeNo = newNumber()
  const match = { call: 'unifiedorder', outTradeNo }
  await loseNotifications(stack, 'notify_payment', outTradeNo)
  await stack.sandbox.control.armFaults([
    { match, fault: 'timeout_after', times: 1 },
    { match, fault: 'systemerror', times: 1 },
    ...more.map((fault) => ({
      match: { call: 'orderquery', outTradeNo },
      fault: 'systemerror',
      ...fault,
    })),
  ])
  const body = { amountFen: 10_000, outTradeNo, expiresInSeconds: 86_400 }
  const created = stack.requester.createPayment(body, outTradeNo)
  await until(async () => {
    const { orders } = await stack.sandbox.control.book({ mchId: stack.merchant.mchId })
    return orders.some((order) => order.outTradeNo === outTradeNo)
  })
  await pay(stack, outTradeNo)
  await created
  return idOf(stack, outTradeNo)
}

async function idOf(stack: Stack, outTradeNo: string): Promise<string> {
  const [row] = await look<{ id: string }>(
    stack,
    'select id from payments where out_trade_no = $1',
    outTradeNo,
  )
  return row?.id ?? ''
}

async function ask(stack: Stack, id: string, verb: 'query' | 'close'): Promise<void> {
  await until(async () => {
    const { status } = await stack.requester.send('POST', `/v1/payments/${id}/${verb}`)
    return status !== 503
  })
}

/** An order of ours that another system placed. */
async function placeElsewhere(stack: Stack, outTradeNo: string): Promise<void> {
  const { mchId, appId, apiV2Key, caPem } = stack.merchant
  const channel = createWeChatChannel({
    mchId,
    apiV2Key,
    signType: 'MD5',
    opUserId: mchId,
    baseUrl: stack.sandbox.url,
    caPem,
  })
  const order = {
    appId,
    outTradeNo,
    body: '旧店-茶',
    totalFen: fen(4_200),
    payerIp: '203.0.113.7',
    openid: OPENID,
    notifyUrl: `${stack.apiUrl}/notify/nobody/payment`,
  }
  await channel.placeOrder(order, { urgency: 'waiting' })
  await channel.close()
}

export const PAYMENT_WAYS: readonly Way[] = [
  {
    name: 'a payment, notified',
    through: [
      'placePayment.placeOrder',
      'placingAnswers.markPlaced',
      'settlePayment.transaction',
      'paymentWorkflow.fact',
      'paymentWorkflow.prepay',
      'paymentWorkflow.quick.placePayment',
      'paymentWorkflow.database.settlePayment',
    ],
    walk: async (stack) => (await paid(stack)).id,
  },
  {
    name: 'an order that the channel refuses',
    through: ['placingAnswers.refuse'],
    walk: async (stack) => {
      const outTradeNo = newNumber()
      // The number stands for other goods at another price.
      await placeElsewhere(stack, outTradeNo)
      const body = { outTradeNo, expiresInSeconds: 86_400 }
      await until(async () => {
        const { status } = await stack.requester.createPayment(body, outTradeNo)
        return status === 422
      })
      return idOf(stack, outTradeNo)
    },
  },
  {
    name: 'a payment of which nobody tells',
    through: ['duePayments.'],
    walk: async (stack) => {
      const { id, outTradeNo } = await place(stack)
      await loseNotifications(stack, 'notify_payment', outTradeNo)
      await pay(stack, outTradeNo)
      await paymentIs(stack, id, 'paid')
      return id
    },
  },
  {
    name: 'an order that expires unpaid',
    through: ['queryThenClose.', 'paymentWorkflow.channel.queryThenClose'],
    walk: async (stack) => {
      const { id } = await place(stack, { expiresInSeconds: 300 })
      await paymentIs(stack, id, 'closed')
      return id
    },
  },
  {
    name: 'an order found paid when it is placed again',
    through: [
      'placingAnswers.queryOrder',
      'placingAnswers.store',
      'paymentWorkflow.channel.placePayment',
    ],
    walk: async (stack) => {
      const id = await placedUnheard(stack)
      await paymentIs(stack, id, 'paid')
      return id
    },
  },
  {
    name: 'one of which the channel then does not say how',
    through: ['placingAnswers.askLater'],
    walk: async (stack) => {
      const id = await placedUnheard(stack, [{ times: 1 }])
      await paymentIs(stack, id, 'paid')
      return id
    },
  },
  {
    name: 'a payment that a person asks for',
    through: ['askPayment.queryOrder', 'askPayment.store', 'paymentWorkflow.ask'],
    walk: async (stack) => {
      const { id, outTradeNo } = await place(stack)
      await loseNotifications(stack, 'notify_payment', outTradeNo)
      await pay(stack, outTradeNo)
      await ask(stack, id, 'query')
      await paymentIs(stack, id, 'paid')
      return id
    },
  },
  {
    name: 'an order that a person closes',
    through: ['askPayment.closeOrder', 'paymentWorkflow.prompt.askPayment'],
    walk: async (stack) => {
      const { id } = await place(stack)
      await ask(stack, id, 'close')
      await paymentIs(stack, id, 'closed')
      return id
    },
  },
  {
    name: 'a payment of before, taken over',
    through: ['adoptPayment.', 'adoptWorkflow.'],
    walk: async (stack) => {
      const outTradeNo = newNumber()
      await placeElsewhere(stack, outTradeNo)
      await pay(stack, outTradeNo)
      const body = { appId: stack.merchant.appId, outTradeNo }
      await until(async () => {
        const { status } = await stack.requester.send('POST', '/v1/payments/adopt', { body })
        return status === 201 || status === 409
      })
      return idOf(stack, outTradeNo)
    },
  },
]

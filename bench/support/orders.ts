import { createHash, randomUUID } from 'node:crypto'

import { request, type Agent } from 'undici'

import type { BenchStack } from './stack.js'

export interface Order {
  readonly id: string
  readonly outTradeNo: string
}

/** Placed in time, or told of later: both are what the API promises of a slow channel. */
const CREATED = [201, 202]

/** Creates a payment of 10.00 through HTTP. @throws Error when that is not answered as promised. */
export async function createPayment(stack: BenchStack, agent: Agent): Promise<Order> {
  const reply = await request(`${stack.apiUrl}/v1/payments`, {
    method: 'POST',
    dispatcher: agent,
    headers: {
      authorization: `Bearer ${stack.apiKey}`,
      'content-type': 'application/json',
      'idempotency-key': randomUUID(),
    },
    body: JSON.stringify({
      amountFen: 1_000,
      description: 'bench',
      openid: 'oUpF8uMuAJO2pxb1Q9zNjWeS6o',
    }),
  })
  const order = (await reply.body.json()) as Order
  if (!CREATED.includes(reply.statusCode)) {
    throw new Error(`Creating a payment answered ${reply.statusCode}.`)
  }
  return order
}

/** Creates payments, some at once, until there are so many. */
export async function createPayments(
  stack: BenchStack,
  agent: Agent,
  { count, atOnce }: { readonly count: number; readonly atOnce: number },
): Promise<Order[]> {
  const orders: Order[] = []
  let begun = 0
  const lane = async (): Promise<void> => {
    while (begun < count) {
      begun += 1
      orders.push(await createPayment(stack, agent))
    }
  }
  await Promise.all(Array.from({ length: atOnce }, lane))
  return orders
}

/** A function that sends the channel's signed word that an order is paid. @throws when refused. */
export async function notifier(
  stack: BenchStack,
  agent: Agent,
): Promise<(body: string) => Promise<void>> {
  const [account] = await stack.owner.rows<{ token: string }>(
    { text: 'select notify_token as token from channel_accounts' },
    [],
  )
  const url = `${stack.apiUrl}/notify/${account?.token ?? ''}/payment`
  return async (body) => {
    const headers = { 'content-type': 'text/xml' }
    const reply = await request(url, { method: 'POST', dispatcher: agent, headers, body })
    const text = await reply.body.text()
    if (!text.includes('SUCCESS')) throw new Error(`A notification was refused: ${text}`)
  }
}

/** The body of a signed notification: all of the order is paid. */
export function paidNotification({ merchant }: BenchStack, { outTradeNo }: Order): string {
  const fields: Readonly<Record<string, string>> = {
    appid: merchant.appId,
    bank_type: 'OTHERS',
    cash_fee: '1000',
    fee_type: 'CNY',
    is_subscribe: 'N',
    mch_id: merchant.mchId,
    nonce_str: randomUUID().replaceAll('-', ''),
    openid: 'oUpF8uMuAJO2pxb1Q9zNjWeS6o',
    out_trade_no: outTradeNo,
    result_code: 'SUCCESS',
    return_code: 'SUCCESS',
    time_end: '20261123120000',
    total_fee: '1000',
    trade_type: 'JSAPI',
    transaction_id: `42${outTradeNo.slice(0, 30)}`,
  }
  const names = Object.keys(fields).toSorted()
  const text = [...names.map((name) => `${name}=${fields[name]}`), `key=${merchant.apiV2Key}`]
  const sign = createHash('md5').update(text.join('&')).digest('hex').toUpperCase()
  const elements = Object.entries({ ...fields, sign })
  return `<xml>${elements.map(([name, value]) => `<${name}>${value}</${name}>`).join('')}</xml>`
}

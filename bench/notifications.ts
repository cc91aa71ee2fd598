import { createHash, randomUUID } from 'node:crypto'

import { Agent, request } from 'undici'

import { runOpenLoop } from './support/loop.js'
import type { BenchStack } from './support/stack.js'

export const PER_SECOND = 50
const COUNT = 1_000
const CREATE_AT_ONCE = 20

export interface NotificationsResult {
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
}

type Fields = Readonly<Record<string, string>>

/** Signed payment notifications at a steady rate: from the request to the stored row's answer. */
export async function benchNotifications(stack: BenchStack): Promise<NotificationsResult> {
  const agent = new Agent({ connections: 32 })
  const numbers = await createPayments(stack, agent, COUNT)
  const [account] = await stack.owner.rows<{ token: string }>(
    { text: 'select notify_token as token from channel_accounts' },
    [],
  )
  const url = `${stack.apiUrl}/notify/${account?.token ?? ''}/payment`
  const bodies = numbers.map((number) => notification(stack, number))
  const latency = await runOpenLoop({
    everyMs: 1_000 / PER_SECOND,
    count: COUNT,
    flow: async (index) => {
      const reply = await request(url, {
        method: 'POST',
        dispatcher: agent,
        headers: { 'content-type': 'text/xml' },
        body: bodies[index] ?? '',
      })
      const text = await reply.body.text()
      if (!text.includes('SUCCESS')) throw new Error(`A notification was refused: ${text}`)
    },
  })
  await agent.close()
  return latency
}

async function createPayments(stack: BenchStack, agent: Agent, count: number): Promise<string[]> {
  const numbers: string[] = []
  const lane = async (): Promise<void> => {
    while (numbers.length < count) {
      const outTradeNo = `B${randomUUID().replaceAll('-', '').slice(0, 30)}`
      numbers.push(outTradeNo)
      const reply = await request(`${stack.apiUrl}/v1/payments`, {
        method: 'POST',
        dispatcher: agent,
        headers: {
          authorization: `Bearer ${stack.apiKey}`,
          'content-type': 'application/json',
          'idempotency-key': outTradeNo,
        },
        body: JSON.stringify({
          amountFen: 1_000,
          description: 'bench',
          openid: 'oUpF8uMuAJO2pxb1Q9zNjWeS6o',
          outTradeNo,
        }),
      })
      await reply.body.dump()
    }
  }
  await Promise.all(Array.from({ length: CREATE_AT_ONCE }, lane))
  return numbers
}

function notification({ merchant }: BenchStack, outTradeNo: string): string {
  const fields: Fields = {
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

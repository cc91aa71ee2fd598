import { createHash } from 'node:crypto'

import { request } from 'undici'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { journalOf } from '../../src/ledger/journal.js'
import type { PaymentAnswer } from '../support/api-client.js'
import { eventually, placed, startStack, type Stack } from '../support/stack.js'

let stack: Stack
let token: string

beforeAll(async () => {
  stack = await startStack({ rate: 60 })
  const [account] = await stack.owner.rows<{ notify_token: string }>(
    { text: 'select notify_token from channel_accounts' },
    [],
  )
  token = account?.notify_token ?? ''
})
afterAll(() => stack.stop())

type Fields = Readonly<Record<string, string>>

const sign = (fields: Fields, key: string): string => {
  const sorted = Object.keys(fields).toSorted()
  const text = [...sorted.map((name) => `${name}=${fields[name]}`), `key=${key}`].join('&')
  return createHash('md5').update(text).digest('hex').toUpperCase()
}

const xmlOf = (fields: Fields): string =>
  `<xml>${Object.entries(fields)
    .map(([name, value]) => `<${name}><![CDATA[${value}]]></${name}>`)
    .join('')}</xml>`

/** A payment notification as WeChat Pay signs it, except for what `change` makes of it. */
async function notify(payment: PaymentAnswer, change: Fields = {}, key?: string) {
  const { merchant, apiUrl } = stack
  const fields = {
    appid: merchant.appId,
    bank_type: 'OTHERS',
    cash_fee: '1000',
    fee_type: 'CNY',
    is_subscribe: 'N',
    mch_id: merchant.mchId,
    nonce_str: 'n0nce',
    openid: 'oUpF8uMuAJO2pxb1Q9zNjWeS6o',
    out_trade_no: payment.outTradeNo,
    result_code: 'SUCCESS',
    return_code: 'SUCCESS',
    time_end: '20261123120000',
    total_fee: '1000',
    trade_type: 'JSAPI',
    transaction_id: `4200${payment.outTradeNo}`,
    ...change,
  }
  const signed = { ...fields, sign: sign(fields, key ?? merchant.apiV2Key) }
  const reply = await request(`${apiUrl}/notify/${token}/payment`, {
    method: 'POST',
    headers: { 'content-type': 'text/xml' },
    body: xmlOf(signed),
  })
  return reply.body.text()
}

const create = (order: object = {}): Promise<PaymentAnswer> =>
  placed(stack, { amountFen: 1_000, ...order })

const rulesOf = async (id: string): Promise<string[]> =>
  (await journalOf(stack.owner, [{ kind: 'payment', id }])).map(({ rule }) => rule)

const settled = (id: string) =>
  eventually(async () => {
    const { body } = await stack.requester.payment(id)
    return body.state === 'paid' && body
  })

describe('money that does not match its order', () => {
  it.each([
    ['another amount', { total_fee: '999', cash_fee: '999' }, 'amount_mismatch'],
    ['another currency', { fee_type: 'USD' }, 'currency_mismatch'],
  ])('%s: is booked in suspense, held, and not refundable', async (_name, change, attention) => {
    const payment = await create()
    expect(await notify(payment, change)).toContain('SUCCESS')
    const held = await settled(payment.id)
    expect(held).toMatchObject({ disposition: 'held', attention })
    expect(await rulesOf(payment.id)).toEqual(['P2'])
    const refund = await stack.requester.requestRefund({ paymentId: payment.id, amountFen: 1 })
    expect([refund.status, refund.body.code]).toEqual([409, 'payment_held'])
  })

  it('late, after it was closed: is booked in suspense and goes back', async () => {
    const payment = await create({ expiresInSeconds: 300 })
    await eventually(
      async () => (await stack.requester.payment(payment.id)).body.state === 'closed',
    )
    expect(await notify(payment)).toContain('SUCCESS')
    expect(await settled(payment.id)).toMatchObject({ disposition: 'surplus', attention: 'late' })
    expect(await rulesOf(payment.id)).toEqual(['P2'])
  })

  it('paid for one order: a second cannot be opened beside it', async () => {
    const first = await create({ orderRef: 'o-1' })
    const second = await stack.requester.createPayment({ amountFen: 1_000, orderRef: 'o-1' })
    expect([second.status, second.body.code]).toEqual([409, 'order_ref_open'])
    await notify(first)
    expect(await settled(first.id)).toMatchObject({ disposition: 'accepted' })
  })
})

describe('held money that a person decides about', () => {
  const hold = async (): Promise<PaymentAnswer> => {
    const payment = await create()
    await notify(payment, { total_fee: '999', cash_fee: '999' })
    return settled(payment.id)
  }
  const resolve = (id: string, as: 'accept' | 'refund') =>
    stack.approver.send<PaymentAnswer>('POST', `/v1/payments/${id}/resolve`, {
      body: { as, actingUser: 'wang.wei', reason: 'asked the buyer' },
    })

  it('accepted: is sold, refundable, and its opposite is refused', async () => {
    const { id } = await hold()
    const { status, body } = await resolve(id, 'accept')
    expect([status, body.disposition, body.refundableFen]).toEqual([200, 'accepted', 999])
    expect(await rulesOf(id)).toEqual(['P2', 'P3'])
    const opposite = await resolve(id, 'refund')
    expect([opposite.status, opposite.body.code]).toEqual([409, 'payment_not_held'])
  })

  it('given back: is surplus, with a refund of all of it', async () => {
    const { id } = await hold()
    const { status, body } = await resolve(id, 'refund')
    expect([status, body.disposition, body.refundableFen]).toEqual([200, 'surplus', 0])
    expect((await stack.requester.payment(id)).body.reservedFen).toBe(999)
  })
})

describe('a notification that is not ours to believe', () => {
  it.each([
    ['signed with another key', {}, 'ffffffffffffffffffffffffffffffff'],
    ['of another merchant', { mch_id: '1999999999' }, undefined],
    ['of another app', { appid: 'wx0000000000000000' }, undefined],
    ['of an order that is not ours', { out_trade_no: 'NOTOURS123456' }, undefined],
    ['of a payment that failed', { result_code: 'FAIL' }, undefined],
  ])('%s: is refused and changes nothing', async (_name, change: Fields, key) => {
    const payment = await create()
    expect(await notify(payment, change, key)).toContain('FAIL')
    const rows = await stack.owner.rows({ text: 'select from inbox where subject_id = $1' }, [
      payment.id,
    ])
    expect(rows).toEqual([])
    expect((await stack.requester.payment(payment.id)).body.state).toBe('awaiting_payment')
  })
})

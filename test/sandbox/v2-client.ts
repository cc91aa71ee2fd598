import { createHash, createHmac, randomUUID } from 'node:crypto'

import { Agent, request } from 'undici'
import type { Dispatcher } from 'undici'

import type { SandboxMerchant, TestSandbox } from '../support/sandbox.js'

export type Values = Readonly<Record<string, string>>

/** A signature by the rule of the documentation, written down a third time on purpose. */
export function signByHand(values: Values, key: string, signType = values['sign_type']): string {
  const names = Object.keys(values).filter((name) => name !== 'sign' && values[name] !== '')
  const text = [...names.toSorted().map((name) => `${name}=${values[name]}`), `key=${key}`].join(
    '&',
  )
  return signType === 'HMAC-SHA256'
    ? createHmac('sha256', key).update(text).digest('hex').toUpperCase()
    : createHash('md5').update(text).digest('hex').toUpperCase()
}

export function toXml(values: Values): string {
  const elements = Object.entries(values).map(
    ([name, value]) => `<${name}><![CDATA[${value}]]></${name}>`,
  )
  return `<xml>${elements.join('')}</xml>`
}

/** Reads what the sandbox writes: flat, CDATA or plain digits. */
export function fromXml(text: string): Record<string, string> {
  const found = text.matchAll(/<(\w+)>(?:<!\[CDATA\[([\s\S]*?)\]\]>|([^<]*))<\/\1>/g)
  return Object.fromEntries(
    [...found].map(([, name, cdata, plain]) => [name, cdata ?? plain ?? '']),
  )
}

export const newNo = () => randomUUID().replaceAll('-', '')

/** A merchant's side of the V2 calls, as small as it can be. */
export class V2Client {
  readonly merchant: SandboxMerchant
  readonly #url: string
  readonly #plain: Agent
  readonly #certified: Agent

  constructor(sandbox: TestSandbox, merchant: SandboxMerchant, shown: SandboxMerchant = merchant) {
    this.merchant = merchant
    this.#url = sandbox.url
    const ca = sandbox.caPem
    this.#plain = new Agent({ connect: { ca } })
    this.#certified = new Agent({ connect: { ca, cert: shown.certPem, key: shown.keyPem } })
  }

  /** Signs and posts; a value of the empty string leaves a field out. */
  async call(path: string, values: Values, dispatcher: Dispatcher = this.#plain) {
    const { appId, mchId, apiV2Key } = this.merchant
    const base: Record<string, string> = { appid: appId, mch_id: mchId, nonce_str: newNo() }
    const all = Object.entries({ ...base, ...values }).filter(([, value]) => value !== '')
    const sent = Object.fromEntries(all)
    const body = toXml({ sign: signByHand(sent, apiV2Key), ...sent })
    return fromXml((await this.post(path, body, dispatcher)).text)
  }

  async post(path: string, body: string | Buffer, dispatcher: Dispatcher = this.#plain) {
    const reply = await request(`${this.#url}${path}`, { method: 'POST', body, dispatcher })
    return { status: reply.statusCode, text: await reply.body.text() }
  }

  async get(path: string) {
    const reply = await request(`${this.#url}${path}`, { dispatcher: this.#plain })
    return { status: reply.statusCode, headers: reply.headers, text: await reply.body.text() }
  }

  order(outTradeNo: string, values: Values = {}) {
    return this.call('/pay/unifiedorder', {
      body: '源路-苹果',
      out_trade_no: outTradeNo,
      total_fee: '1000',
      spbill_create_ip: '127.0.0.1',
      notify_url: 'http://127.0.0.1:9/notify',
      trade_type: 'JSAPI',
      openid: 'oUpF8uMuAJO_M2pxb1Q9zNjWeS6o',
      ...values,
    })
  }

  query(outTradeNo: string, values: Values = {}) {
    return this.call('/pay/orderquery', { out_trade_no: outTradeNo, ...values })
  }

  close(outTradeNo: string) {
    return this.call('/pay/closeorder', { out_trade_no: outTradeNo })
  }

  refund(outTradeNo: string, outRefundNo: string, values: Values = {}) {
    const numbers = { out_trade_no: outTradeNo, out_refund_no: outRefundNo }
    const fees = { total_fee: '1000', refund_fee: '100' }
    return this.call('/secapi/pay/refund', { ...numbers, ...fees, ...values }, this.#certified)
  }

  refundWithoutCertificate(outTradeNo: string, outRefundNo: string) {
    const numbers = { out_trade_no: outTradeNo, out_refund_no: outRefundNo }
    return this.call('/secapi/pay/refund', { ...numbers, total_fee: '1000', refund_fee: '100' })
  }

  refundQuery(values: Values) {
    return this.call('/pay/refundquery', values)
  }

  async stop(): Promise<void> {
    await Promise.all([this.#plain.close(), this.#certified.close()])
  }
}

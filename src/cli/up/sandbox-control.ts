import { Agent, request } from 'undici'

/** What the demo reads of the sandbox; the shapes are its control API's. */

export interface SandboxMerchant {
  readonly mchId: string
  readonly appId: string
  readonly apiV2Key: string
  readonly p12Base64: string
}

export interface SandboxOrder {
  readonly outTradeNo: string
  readonly transactionId: string | null
  readonly totalFee: number
  readonly tradeState: string
}

export interface SandboxRefund {
  readonly outTradeNo: string
  readonly outRefundNo: string
  readonly refundId: string
  readonly refundFee: number
  readonly refundStatus: string
  readonly clientCertSerial: string
}

export interface SandboxNotification {
  readonly outRefundNo: string | null
  readonly state: 'waiting' | 'delivered' | 'given_up'
  readonly tries: readonly { readonly outcome: string }[]
}

export interface SandboxCall {
  readonly call: string
  readonly outRefundNo: string | null
  readonly clientCertSerial: string | null
  readonly answered: string
}

export interface SandboxFault {
  readonly match: {
    readonly call: string
    readonly outTradeNo?: string
    readonly outRefundNo?: string
  }
  readonly fault: string
  readonly ms?: number
  /** -1 is without end. */
  readonly times: number
}

/** The control API of the running sandbox. */
export class SandboxControl {
  readonly #url: string
  readonly #dispatcher: Agent

  /** @param caPem the sandbox's own authority; no other certificate is believed */
  constructor(url: string, caPem: string) {
    this.#url = url
    this.#dispatcher = new Agent({ connect: { ca: caPem } })
  }

  merchants(): Promise<SandboxMerchant[]> {
    return this.#call('GET', 'merchants')
  }

  pay(mchId: string, outTradeNo: string): Promise<SandboxOrder> {
    return this.#call('POST', 'pay', { mchId, outTradeNo })
  }

  armFaults(faults: readonly SandboxFault[]): Promise<unknown> {
    return this.#call('POST', 'faults', faults)
  }

  async order(outTradeNo: string): Promise<SandboxOrder | undefined> {
    const { orders } = await this.#book()
    return orders.find((order) => order.outTradeNo === outTradeNo)
  }

  async refundsOf(outTradeNo: string): Promise<SandboxRefund[]> {
    const { refunds } = await this.#book()
    return refunds.filter((refund) => refund.outTradeNo === outTradeNo)
  }

  notifications(filter: { outTradeNo: string } | { outRefundNo: string }) {
    const query = new URLSearchParams(filter).toString()
    return this.#call<SandboxNotification[]>('GET', `notifications?${query}`)
  }

  /** The calls that the sandbox received, oldest first. */
  log(filter: Readonly<Record<string, string>>): Promise<SandboxCall[]> {
    return this.#call('GET', `log?${new URLSearchParams(filter).toString()}`)
  }

  async close(): Promise<void> {
    await this.#dispatcher.destroy()
  }

  #book(): Promise<{ orders: SandboxOrder[]; refunds: SandboxRefund[] }> {
    return this.#call('GET', 'book')
  }

  async #call<Answer>(method: 'GET' | 'POST', what: string, body?: unknown): Promise<Answer> {
    const reply = await request(`${this.#url}/_control/${what}`, {
      method,
      dispatcher: this.#dispatcher,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const answer = await reply.body.json()
    if (reply.statusCode === 200) return answer as Answer
    throw new Error(`The sandbox refused ${what}: ${JSON.stringify(answer)}`)
  }
}

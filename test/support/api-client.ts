import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'

import { request } from 'undici'

export interface Answer<Body = Record<string, unknown>> {
  readonly status: number
  readonly body: Body
}

export interface PaymentAnswer {
  readonly id: string
  readonly outTradeNo: string
  readonly state: string
  readonly disposition: string | null
  readonly attention: string | null
  readonly paidFen: number | null
  readonly reservedFen: number
  readonly refundedFen: number
  readonly refundableFen: number
  readonly expiresAt: string
  readonly frontEnd: { readonly package: string; readonly paySign: string } | null
  readonly code?: string
}

export interface RefundAnswer {
  readonly id: string
  readonly outRefundNo: string
  readonly state: string
  readonly cause: string | null
  readonly amountFen: number
  readonly submitCount: number
  readonly code?: string
  readonly leftFen?: number
}

/** How long a call with a key is repeated, and how often, while the engine is not heard. */
const PATIENCE_MS = 60_000
const PAUSE_MS = 200

interface SendOptions {
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

/** A client of the public API over real HTTP, with one API key. */
export class ApiClient {
  readonly #url: string
  readonly #key: string

  constructor(url: string, key: string) {
    this.#url = url
    this.#key = key
  }

  createPayment(
    body: object = {},
    idempotencyKey: string = randomUUID(),
  ): Promise<Answer<PaymentAnswer>> {
    return this.send('POST', '/v1/payments', {
      body: { amountFen: 10_000, description: '青团礼盒', openid: OPENID, ...body },
      headers: { 'idempotency-key': idempotencyKey },
    })
  }

  payment(id: string): Promise<Answer<PaymentAnswer>> {
    return this.send('GET', `/v1/payments/${id}`)
  }

  requestRefund(
    body: object,
    idempotencyKey: string = randomUUID(),
  ): Promise<Answer<RefundAnswer>> {
    return this.send('POST', '/v1/refunds', {
      body: { reason: '不想要了', actingUser: 'li.na', ...body },
      headers: { 'idempotency-key': idempotencyKey },
    })
  }

  refund(id: string): Promise<Answer<RefundAnswer>> {
    return this.send('GET', `/v1/refunds/${id}`)
  }

  decide(
    id: string,
    verb: 'approve' | 'reject' | 'cancel',
    actingUser = 'wang.wei',
  ): Promise<Answer<RefundAnswer>> {
    return this.send('POST', `/v1/refunds/${id}/${verb}`, {
      body: { actingUser, reason: 'looked at it' },
    })
  }

  /** Any call, with the answer as it came. */
  async send<Body>(
    method: 'GET' | 'POST' | 'PUT' | 'DELETE',
    path: string,
    options: SendOptions = {},
  ): Promise<Answer<Body>> {
    const untilMs = Date.now() + PATIENCE_MS
    const isKeyed = 'idempotency-key' in (options.headers ?? {})
    for (;;) {
      const answer = await this.#once<Body>(method, path, options)
      // An engine that is slow to answer on a busy machine is taken for one that is away.
      if (!isKeyed || answer.status !== 503 || Date.now() > untilMs) return answer
      await sleep(PAUSE_MS)
    }
  }

  async #once<Body>(
    method: 'GET' | 'POST' | 'PUT' | 'DELETE',
    path: string,
    { body, headers = {} }: SendOptions,
  ): Promise<Answer<Body>> {
    const reply = await request(`${this.#url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${this.#key}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await reply.body.text()
    // A deletion is answered with nothing.
    return { status: reply.statusCode, body: (text === '' ? null : JSON.parse(text)) as Body }
  }
}

/** The buyer of every test; it must never be found where it does not belong. */
export const OPENID = 'oUpF8uMuAJO2pxb1Q9zNjWeS6o'

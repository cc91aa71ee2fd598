import { randomUUID } from 'node:crypto'

import { request } from 'undici'

import type { PaymentState, RefundState } from '../../domain/states.js'
import type { Shop } from './shop.js'

/** What the demo reads of the API's answers. */

export interface ApiPayment {
  readonly id: string
  readonly outTradeNo: string
  readonly state: PaymentState
  readonly amountFen: number
}

export interface PayablePayment extends ApiPayment {
  /** What the mini-program would hand to WeChat; it names the prepay_id. */
  readonly frontEnd: { readonly package: string } | null
}

export interface ApiRefund {
  readonly id: string
  readonly outRefundNo: string
  readonly state: RefundState
}

/** The public API, called as any other program would call it. */
export class ApiClient {
  readonly #baseUrl: string
  readonly #shop: Shop

  constructor(baseUrl: string, shop: Shop) {
    this.#baseUrl = baseUrl
    this.#shop = shop
  }

  createPayment(payment: {
    amountFen: number
    description: string
    openid: string
    expiresInSeconds?: number
  }): Promise<PayablePayment> {
    return this.#call('POST', '/v1/payments', this.#shop.requesterKey, payment)
  }

  payment(id: string): Promise<ApiPayment> {
    return this.#call('GET', `/v1/payments/${id}`, this.#shop.requesterKey)
  }

  /** The payment is named by our id or by its order number. */
  requestRefund(
    refund: ({ paymentId: string } | { outTradeNo: string }) & {
      amountFen: number
      reason: string
      actingUser: string
    },
  ): Promise<ApiRefund> {
    return this.#call('POST', '/v1/refunds', this.#shop.requesterKey, refund)
  }

  refund(id: string): Promise<ApiRefund> {
    return this.#call('GET', `/v1/refunds/${id}`, this.#shop.requesterKey)
  }

  async decide(
    id: string,
    verb: 'approve' | 'reject',
    decision: { actingUser: string; reason: string },
  ): Promise<void> {
    await this.#call('POST', `/v1/refunds/${id}/${verb}`, this.#shop.approverKey, decision)
  }

  async #call<Answer>(
    method: 'GET' | 'POST',
    path: string,
    key: string,
    body?: object,
  ): Promise<Answer> {
    const reply = await request(`${this.#baseUrl}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        'idempotency-key': randomUUID(),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const answer = (await reply.body.json()) as Answer & { readonly detail?: string }
    if (reply.statusCode < 400) return answer
    throw new Error(`${method} ${path} answered ${reply.statusCode}: ${answer.detail ?? ''}`)
  }
}

import { setTimeout as sleep } from 'node:timers/promises'

import { Agent, request } from 'undici'

import type { Shop } from '../cli/up/shop.js'
import type {
  Disposition,
  HoldReason,
  PaymentState,
  RefundCause,
  RefundState,
} from '../domain/states.js'

export interface PaymentAnswer {
  readonly id: string
  readonly outTradeNo: string
  readonly state: PaymentState
  readonly disposition: Disposition | null
  readonly amountFen: number
  readonly reservedFen: number
  readonly refundedFen: number
}

export interface RefundAnswer {
  readonly id: string
  readonly outRefundNo: string
  readonly state: RefundState
  readonly cause: RefundCause | null
  readonly holdReason: HoldReason | null
}

/** What the API said no to: its stable code, such as `refund_exceeds_payment`. */
export interface Refusal {
  readonly refused: string
}

export type Reply<Body> = Body | Refusal

export const isRefusal = (reply: object): reply is Refusal => 'refused' in reply

type Role = 'requester' | 'approver'

interface Call {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly role: Role
  readonly body?: object
  readonly idempotencyKey?: string
  /** Which API is asked first; the next try goes to the other. */
  readonly first?: number
  /** "Accepted" is an answer: it stands in a row, and asked again it would be said twice. */
  readonly isRecorded?: boolean
}

const ACCEPTED = 202
const BUSY = [408, 425, 429]
const RETRY_WAIT_MS = { least: 150, most: 1_000 }
const ANSWER_WITHIN_MS = 12_000
const PATIENCE_MS = 300_000
const OPENID = 'oUpF8uMuAJO2pxb1Q9zNjWeS6o'

/** No API gave an answer for longer than any fault lasts. */
export class NoAnswerError extends Error {
  override readonly name = 'NoAnswerError'
}

/**
 * The public API as a proper client calls it: what is not answered, or answered with "not now", is
 * asked again with the same key, of the other API.
 */
export class ChaosClient {
  readonly #urls: readonly string[]
  readonly #shop: Shop
  readonly #agent = new Agent({ connections: 64 })
  #next = 0
  /** How many answers each API gave. */
  readonly answers: number[]

  constructor(urls: readonly string[], shop: Shop) {
    this.#urls = urls
    this.#shop = shop
    this.answers = urls.map(() => 0)
  }

  createPayment(order: {
    readonly outTradeNo: string
    readonly amountFen: number
    readonly expiresInSeconds: number
  }): Promise<Reply<PaymentAnswer>> {
    return this.#ask({
      method: 'POST',
      path: '/v1/payments',
      role: 'requester',
      idempotencyKey: order.outTradeNo,
      body: { ...order, description: 'chaos', openid: OPENID },
    })
  }

  /** @param waitSeconds for how long a change of state is waited for */
  payment(id: string, waitSeconds = 0): Promise<Reply<PaymentAnswer>> {
    const wait = waitSeconds > 0 ? `?wait=${waitSeconds}` : ''
    return this.#ask({ method: 'GET', path: `/v1/payments/${id}${wait}`, role: 'requester' })
  }

  requestRefund(
    idempotencyKey: string,
    refund: { readonly outTradeNo: string; readonly amountFen: number },
  ): Promise<Reply<RefundAnswer>> {
    return this.#ask({
      method: 'POST',
      path: '/v1/refunds',
      role: 'requester',
      idempotencyKey,
      body: { ...refund, reason: 'chaos', actingUser: 'li.na' },
    })
  }

  refund(id: string): Promise<Reply<RefundAnswer>> {
    return this.#ask({ method: 'GET', path: `/v1/refunds/${id}`, role: 'requester' })
  }

  /** Decides through the API of this number, or of the next in turn. */
  decide(id: string, verb: 'approve' | 'reject', first?: number): Promise<Reply<object>> {
    return this.#ask({
      method: 'POST',
      path: `/v1/refunds/${id}/${verb}`,
      role: 'approver',
      body: { actingUser: 'wang.wei', reason: 'chaos' },
      ...(first === undefined ? {} : { first }),
    })
  }

  /** Withdraws a refund that was not sent. */
  cancel(id: string): Promise<Reply<object>> {
    return this.#ask({
      method: 'POST',
      path: `/v1/refunds/${id}/cancel`,
      role: 'requester',
      body: { actingUser: 'li.na', reason: 'chaos' },
    })
  }

  /** Says that a refund which the channel refused was never taken. */
  giveUp(id: string): Promise<Reply<object>> {
    return this.#ask({
      method: 'POST',
      path: `/v1/refunds/${id}/resolve`,
      role: 'approver',
      body: { as: 'failed', actingUser: 'wang.wei', evidence: 'refused, the portal was faster' },
      isRecorded: true,
    })
  }

  async close(): Promise<void> {
    await this.#agent.destroy()
  }

  async #ask<Body>(call: Call): Promise<Reply<Body>> {
    const deadlineMs = Date.now() + PATIENCE_MS
    let at = call.first ?? this.#next++
    let waitMs = RETRY_WAIT_MS.least
    for (;;) {
      const reply = await this.#askOnce<Body>(call, at % this.#urls.length)
      if (reply !== undefined) return reply
      if (Date.now() > deadlineMs) {
        throw new NoAnswerError(`${call.method} ${call.path} was not answered for good in time.`)
      }
      await sleep(waitMs)
      waitMs = Math.min(2 * waitMs, RETRY_WAIT_MS.most)
      at += 1
    }
  }

  /** @returns undefined when the same is worth asking again */
  async #askOnce<Body>(call: Call, at: number): Promise<Reply<Body> | undefined> {
    const { method, path, role, body, idempotencyKey, isRecorded = false } = call
    const key = role === 'requester' ? this.#shop.requesterKey : this.#shop.approverKey
    try {
      const reply = await request(`${this.#urls[at]}${path}`, {
        method,
        dispatcher: this.#agent,
        headersTimeout: ANSWER_WITHIN_MS,
        headers: {
          authorization: `Bearer ${key}`,
          ...(idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      const answer = (await reply.body.json()) as Body & { readonly code?: string }
      this.answers[at] = (this.answers[at] ?? 0) + 1
      const { statusCode: status } = reply
      const isEarly = status === ACCEPTED && !isRecorded
      if (status >= 500 || isEarly || BUSY.includes(status)) return undefined
      return status < 400 ? answer : { refused: answer.code ?? String(status) }
    } catch {
      // The connection broke or there was none: nothing is known, so the same is asked again.
      return undefined
    }
  }
}

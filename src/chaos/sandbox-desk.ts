import { setTimeout as sleep } from 'node:timers/promises'

import { Agent, request } from 'undici'

import type { SandboxFault, SandboxMerchant } from '../cli/up/sandbox-control.js'

/** What a drill reads of the sandbox; the shapes are its control API's. */

export interface LoggedCall {
  readonly call: string
  readonly outTradeNo: string | null
  readonly outRefundNo: string | null
  readonly answered: string
}

export interface SentNotification {
  readonly kind: 'payment' | 'refund'
  readonly outTradeNo: string
  readonly outRefundNo: string | null
  readonly url: string
  readonly state: 'waiting' | 'delivered' | 'given_up'
  readonly tries: readonly {
    readonly at: string
    readonly outcome: string
    readonly fault: string | null
  }[]
}

export interface PortalRefund {
  readonly outTradeNo: string
  readonly outRefundNo: string
  readonly refundFee: number
}

/** A fault of the drill; the code is that of `error`. */
export type ArmedFault = SandboxFault & { readonly code?: string }

interface Answer {
  readonly status: number
  readonly value: unknown
}

const RETRY_WAIT_MS = 100
/** Longer than the sandbox ever stays away. */
const PATIENCE_MS = 60_000
/** The portal's own refund numbers; the engine's are shorter. */
const PORTAL_REFUND_NO = /^\d{28}$/

/** The control API of a sandbox that may be killed at any moment: no answer, and it asks again. */
export class SandboxDesk {
  readonly #url: string
  readonly #dispatcher: Agent

  /** @param caPem the sandbox's own authority; no other certificate is believed */
  constructor(url: string, caPem: string) {
    this.#url = `${url}/_control`
    this.#dispatcher = new Agent({ connect: { ca: caPem } })
  }

  addMerchant(): Promise<SandboxMerchant> {
    return this.#must('POST', 'merchants', {})
  }

  /** @returns `paid`, also when it was paid before, or the code of the refusal */
  async pay(mchId: string, outTradeNo: string): Promise<string> {
    const answer = await this.#call('POST', 'pay', { mchId, outTradeNo })
    if (answer.status === 200) return 'paid'
    const code = codeOf(answer)
    return code === 'ORDERPAID' ? 'paid' : code
  }

  /** Refunds by hand, once: what was not answered is looked for before it is repeated. */
  async refundByHand(refund: {
    readonly mchId: string
    readonly outTradeNo: string
    readonly amountFen: number
    readonly notifyUrl: string
  }): Promise<PortalRefund | string> {
    const findMade = async (): Promise<PortalRefund | undefined> => {
      const { refunds } = await this.book(refund.mchId)
      return refunds.find(
        ({ outTradeNo, outRefundNo }) =>
          outTradeNo === refund.outTradeNo && PORTAL_REFUND_NO.test(outRefundNo),
      )
    }
    const answer = await this.#call('POST', 'refund', refund, findMade)
    return answer.status === 200 ? (answer.value as PortalRefund) : codeOf(answer)
  }

  /** @returns true when the refund was in CHANGE and has now succeeded */
  async resolve(mchId: string, outRefundNo: string): Promise<boolean> {
    return (await this.#call('POST', 'resolve', { mchId, outRefundNo })).status === 200
  }

  async arm(faults: readonly ArmedFault[]): Promise<void> {
    if (faults.length > 0) await this.#must('POST', 'faults', faults)
  }

  /** @returns by how many milliseconds the clock went on while it jumped */
  async jump(advanceMs: number): Promise<number> {
    const { nowMs: before } = await this.#must<{ nowMs: number }>('GET', 'clock')
    const { nowMs: after } = await this.#must<{ nowMs: number }>('POST', 'clock', { advanceMs })
    return after - before
  }

  calls(mchId: string): Promise<LoggedCall[]> {
    return this.#must('GET', `log?mchId=${mchId}`)
  }

  notifications(mchId: string): Promise<SentNotification[]> {
    return this.#must('GET', `notifications?mchId=${mchId}`)
  }

  book(mchId: string): Promise<{ readonly refunds: PortalRefund[] }> {
    return this.#must('GET', `book?mchId=${mchId}`)
  }

  async close(): Promise<void> {
    await this.#dispatcher.destroy()
  }

  async #must<Value>(method: 'GET' | 'POST', what: string, body?: unknown): Promise<Value> {
    const answer = await this.#call(method, what, body)
    if (answer.status === 200) return answer.value as Value
    throw new Error(`The sandbox refused ${what}: ${codeOf(answer)}`)
  }

  async #call(
    method: 'GET' | 'POST',
    what: string,
    body?: unknown,
    findMade?: () => Promise<object | undefined>,
  ): Promise<Answer> {
    const deadlineMs = Date.now() + PATIENCE_MS
    for (;;) {
      try {
        return await this.#callOnce(method, what, body)
      } catch (error) {
        if (Date.now() > deadlineMs) throw error
      }
      await sleep(RETRY_WAIT_MS)
      const made = await findMade?.()
      if (made !== undefined) return { status: 200, value: made }
    }
  }

  async #callOnce(method: 'GET' | 'POST', what: string, body: unknown): Promise<Answer> {
    const reply = await request(`${this.#url}/${what}`, {
      method,
      dispatcher: this.#dispatcher,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    return { status: reply.statusCode, value: await reply.body.json() }
  }
}

const codeOf = ({ value }: Answer): string =>
  (value as { readonly error?: { readonly code?: string } }).error?.code ?? 'unknown'

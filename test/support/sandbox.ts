import { Agent, request } from 'undici'

import { startSandbox } from '../../src/sandbox/main.js'
import type { SandboxOptions } from '../../src/sandbox/main.js'

/** A merchant as `GET /_control/merchants` gives it. */
export interface SandboxMerchant {
  readonly mchId: string
  readonly appId: string
  readonly appSecret: string
  readonly apiV2Key: string
  readonly apiV3Key: string
  readonly serialNo: string
  readonly certPem: string
  readonly keyPem: string
  readonly p12Base64: string
  readonly publicKeyId: string
  readonly publicKeyPem: string
  readonly caPem: string
}

export interface SandboxOrder {
  readonly mchId: string
  readonly appId: string
  readonly outTradeNo: string
  readonly transactionId: string | null
  readonly totalFee: number
  readonly tradeState: string
  readonly timeEnd: string | null
  readonly refundedFee: number
}

export interface SandboxRefund {
  readonly mchId: string
  readonly outTradeNo: string
  readonly outRefundNo: string
  readonly refundId: string
  readonly refundFee: number
  readonly refundStatus: string
  readonly clientCertSerial: string
  readonly createdAt: string
  readonly successAt: string | null
}

export interface SandboxNotification {
  readonly id: string
  readonly kind: 'payment' | 'refund'
  readonly mchId: string
  readonly outTradeNo: string
  readonly outRefundNo: string | null
  readonly url: string
  readonly state: 'waiting' | 'delivered' | 'given_up'
  readonly nextTryAt: string | null
  readonly tries: readonly {
    readonly at: string
    readonly status: number | null
    readonly answer: string | null
    readonly outcome: 'success' | 'refused' | 'no_answer' | 'lost'
    readonly fault: string | null
  }[]
}

export interface SandboxCall {
  readonly at: string
  readonly call: string
  readonly mchId: string | null
  readonly outTradeNo: string | null
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
  readonly code?: string
  readonly ms?: number
  readonly times?: number
}

export interface ClockReading {
  readonly nowMs: number
  readonly rate: number
}

/** An answer of the control API as it came. */
export interface RawReply {
  readonly status: number
  readonly body: unknown
}

type Filter = Readonly<Record<string, string>>

/** The control API of one sandbox; each call throws when the sandbox refuses it. */
export class SandboxControl {
  readonly #url: string
  readonly #dispatcher: Agent

  constructor(url: string, dispatcher: Agent) {
    this.#url = url
    this.#dispatcher = dispatcher
  }

  merchants(): Promise<SandboxMerchant[]> {
    return this.#call('GET', '/_control/merchants')
  }

  addMerchant(ids: { mchId?: string; appId?: string } = {}): Promise<SandboxMerchant> {
    return this.#call('POST', '/_control/merchants', ids)
  }

  /** Null sets no limit to what the merchant can refund. */
  setBalance(mchId: string, balanceFen: number | null): Promise<unknown> {
    return this.#call('POST', '/_control/balance', { mchId, balanceFen })
  }

  /** A refund made by hand in the portal. */
  refundByHand(refund: {
    mchId: string
    outTradeNo: string
    amountFen: number
    notifyUrl?: string
  }): Promise<SandboxRefund> {
    return this.#call('POST', '/_control/refund', refund)
  }

  /** Ends a refund that is in CHANGE. */
  resolve(refund: {
    mchId: string
    outRefundNo: string
    result?: 'SUCCESS' | 'REFUNDCLOSE'
  }): Promise<SandboxRefund> {
    return this.#call('POST', '/_control/resolve', refund)
  }

  /** A refund to a frozen card ends CHANGE. */
  setCard(card: { mchId: string; outTradeNo: string; frozen: boolean }): Promise<unknown> {
    return this.#call('POST', '/_control/card', card)
  }

  pay(order: {
    mchId: string
    outTradeNo: string
    result?: 'SUCCESS' | 'PAYERROR'
    late?: boolean
    coupons?: readonly { id: string; type: 'CASH' | 'NO_CASH'; feeFen: number }[]
  }): Promise<SandboxOrder> {
    return this.#call('POST', '/_control/pay', order)
  }

  armFaults(faults: readonly SandboxFault[]): Promise<SandboxFault[]> {
    return this.#call('POST', '/_control/faults', faults)
  }

  faults(): Promise<SandboxFault[]> {
    return this.#call('GET', '/_control/faults')
  }

  clearFaults(): Promise<SandboxFault[]> {
    return this.#call('DELETE', '/_control/faults')
  }

  clock(): Promise<ClockReading> {
    return this.#call('GET', '/_control/clock')
  }

  setRate(rate: number): Promise<ClockReading> {
    return this.#call('POST', '/_control/clock', { rate })
  }

  advance(advanceMs: number): Promise<ClockReading> {
    return this.#call('POST', '/_control/clock', { advanceMs })
  }

  book(filter: Filter = {}): Promise<{ orders: SandboxOrder[]; refunds: SandboxRefund[] }> {
    return this.#call('GET', `/_control/book${queryOf(filter)}`)
  }

  notifications(filter: Filter = {}): Promise<SandboxNotification[]> {
    return this.#call('GET', `/_control/notifications${queryOf(filter)}`)
  }

  resend(id: string): Promise<SandboxNotification> {
    return this.#call('POST', `/_control/notifications/${id}/resend`)
  }

  log(filter: Filter = {}): Promise<SandboxCall[]> {
    return this.#call('GET', `/_control/log${queryOf(filter)}`)
  }

  /** Any call, with the answer as it came. */
  async raw(method: 'GET' | 'POST' | 'DELETE', path: string, body?: string): Promise<RawReply> {
    const options = {
      method,
      dispatcher: this.#dispatcher,
      ...(body === undefined ? {} : { body }),
    }
    const reply = await request(`${this.#url}${path}`, options)
    return { status: reply.statusCode, body: await reply.body.json() }
  }

  async #call<Answer>(
    method: 'GET' | 'POST' | 'DELETE',
    path: string,
    body?: unknown,
  ): Promise<Answer> {
    const sent = body === undefined ? undefined : JSON.stringify(body)
    const reply = await this.raw(method, path, sent)
    if (reply.status !== 200) {
      throw new Error(`${method} ${path}: ${reply.status} ${JSON.stringify(reply.body)}`)
    }
    // The shapes are the sandbox's promise; its own tests compare them member by member.
    return reply.body as Answer
  }
}

function queryOf(filter: Filter): string {
  const query = new URLSearchParams(filter).toString()
  return query === '' ? '' : `?${query}`
}

export interface TestSandbox {
  readonly url: string
  readonly httpUrl: string | undefined
  readonly caPem: string
  readonly caPath: string
  readonly control: SandboxControl
  /** The two merchants that exist from the start. */
  readonly merchants: readonly [SandboxMerchant, SandboxMerchant]
  stop(): Promise<void>
}

/** Starts a sandbox in this process, on a free port and in memory unless told otherwise. */
export async function startTestSandbox(options: SandboxOptions = {}): Promise<TestSandbox> {
  const sandbox = await startSandbox(options)
  const dispatcher = new Agent({ connect: { ca: sandbox.caPem } })
  const control = new SandboxControl(sandbox.url, dispatcher)
  const [first, second] = await control.merchants()
  if (!first || !second) throw new Error('a sandbox begins with two merchants')
  return {
    url: sandbox.url,
    httpUrl: sandbox.httpUrl,
    caPem: sandbox.caPem,
    caPath: sandbox.caPath,
    control,
    merchants: [first, second],
    stop: async () => {
      await dispatcher.close()
      await sandbox.stop()
    },
  }
}

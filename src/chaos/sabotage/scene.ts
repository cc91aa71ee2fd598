import { randomUUID } from 'node:crypto'

import { Agent, request } from 'undici'

import { addKey } from '../../cli/merchants.js'
import type { SandboxFault, SandboxMerchant } from '../../cli/up/sandbox-control.js'
import { until } from '../../cli/up/until.js'
import { Database, only } from '../../db/pool.js'
import type { PaymentState, RefundState } from '../../domain/states.js'
import type { ChannelOrder, ChannelRefund } from '../books/books.js'
import type { DrivenOrders, DrivenPayment, DrivenRefund } from '../driven.js'
import type { ChaosWorld } from '../world.js'

export interface ScenePayment {
  readonly id: string
  readonly outTradeNo: string
  readonly amountFen: number
  readonly state: PaymentState
  readonly refundedFen: number
}

export interface SceneRefund {
  readonly id: string
  readonly outRefundNo: string
  readonly state: RefundState
  readonly amountFen: number
}

interface Answered<Body> {
  readonly status: number
  readonly body: Body
}

/** The two people of a scene: one asks, another one decides. */
type Person = 'li.na' | 'wang.wei'

const SCOPES = [
  'payments:write',
  'payments:read',
  'refunds:request',
  'refunds:read',
  'refunds:decide',
]
/** The buyer of every scene. */
export const OPENID = 'oUpF8uMuAJO2pxb1Q9zNjWeS6o'
const STEP_WITHIN_MS = 60_000

/** A few orders at a running system, each with exactly the fault that a bug needs. */
export class Scene {
  readonly world: ChaosWorld
  readonly owner: Database
  readonly merchant: SandboxMerchant
  readonly #keys: Readonly<Record<Person, string>>
  readonly #sandbox: Agent
  readonly #payments: DrivenPayment[] = []
  readonly #refunds: DrivenRefund[] = []
  readonly #portalRefunds: ChannelRefund[] = []

  private constructor(parts: {
    readonly world: ChaosWorld
    readonly owner: Database
    readonly merchant: SandboxMerchant
    readonly keys: Readonly<Record<Person, string>>
    readonly sandbox: Agent
  }) {
    this.world = parts.world
    this.owner = parts.owner
    this.merchant = parts.merchant
    this.#keys = parts.keys
    this.#sandbox = parts.sandbox
  }

  /** Needs the system to run; each person of it gets a key of their own. */
  static async open(world: ChaosWorld): Promise<Scene> {
    const { merchantId } = world
    const owner = new Database({
      url: world.databaseUrls.owner,
      connectionsMax: 2,
      applicationName: 'yuanlu-scene',
    })
    const key = async (name: Person): Promise<string> =>
      (await addKey(owner, { merchantId, name, scopes: SCOPES })).key
    const keys = { 'li.na': await key('li.na'), 'wang.wei': await key('wang.wei') }
    const sandbox = new Agent({ connect: { ca: world.sandbox.ca } })
    const merchants = await control<SandboxMerchant[]>(world, sandbox, 'GET', 'merchants')
    const { mchId } = only(await owner.rows<{ mchId: string }>(MCH_ID, [merchantId]))
    const merchant = only(merchants.filter((each) => each.mchId === mchId))
    return new Scene({ world, owner, merchant, keys, sandbox })
  }

  async close(): Promise<void> {
    await this.#sandbox.destroy()
    await this.owner.close()
  }

  /** What the API took so far, with what it says of it now. */
  async driven(): Promise<DrivenOrders> {
    const payments = this.#payments.map(async (each) => ({
      ...each,
      lastAnswer: await this.payment(each.id),
    }))
    const refunds = this.#refunds.map(async (each) => ({
      ...each,
      lastAnswer: await this.refund(each.id),
    }))
    return {
      payments: await Promise.all(payments),
      refunds: await Promise.all(refunds),
      portalRefunds: this.#portalRefunds.map(({ outTradeNo, outRefundNo, refundFee }) => ({
        outTradeNo,
        outRefundNo,
        amountFen: refundFee,
      })),
    }
  }

  /** Orders, as a shop does: what is not answered for good is asked again with the same key. */
  async order(amountFen: number): Promise<ScenePayment> {
    const key = randomUUID()
    const body = { amountFen, description: 'chaos', openid: OPENID }
    const payment = await this.until('the order is placed', async () => {
      const answer = await this.#call<ScenePayment>('POST', '/v1/payments', 'li.na', body, key)
      return answer.status === 201 ? answer.body : undefined
    })
    this.#take(payment.id, payment.outTradeNo, amountFen)
    return payment
  }

  /** Orders under a number that the channel refuses; the payment stands in its row as failed. */
  async orderInVain(amountFen: number, outTradeNo: string): Promise<string> {
    const body = { amountFen, description: 'chaos', openid: OPENID, outTradeNo }
    const id = await this.until('the order is refused', async () => {
      await this.#call('POST', '/v1/payments', 'li.na', body, outTradeNo)
      const rows = await this.owner.rows<{ id: string }>(FAILED, [outTradeNo])
      return rows[0]?.id
    })
    this.#take(id, outTradeNo, amountFen)
    return id
  }

  #take(id: string, outTradeNo: string, amountFen: number): void {
    this.#payments.push({ id, outTradeNo, amountFen, isPaid: false, lastAnswer: undefined })
  }

  /** The buyer pays; late also when the order is closed. */
  async pay(outTradeNo: string, when: 'in_time' | 'late' = 'in_time'): Promise<void> {
    const { mchId } = this.merchant
    await this.control('POST', 'pay', { mchId, outTradeNo, late: when === 'late' })
  }

  async paidOrder(amountFen: number): Promise<ScenePayment> {
    const { id, outTradeNo } = await this.order(amountFen)
    await this.pay(outTradeNo)
    return this.until('the payment is paid', async () => {
      const payment = await this.payment(id)
      return payment.state === 'paid' ? payment : undefined
    })
  }

  payment(id: string): Promise<ScenePayment> {
    return this.#must('GET', `/v1/payments/${id}`, 'li.na')
  }

  /** Asks the channel about a payment, or closes it; a refusal is an answer, too. */
  async act(id: string, verb: 'query' | 'close'): Promise<void> {
    await this.#call('POST', `/v1/payments/${id}/${verb}`, 'li.na')
  }

  /** Asks for a refund, or answers undefined where more is asked for than is left. */
  async askRefund(payment: ScenePayment, amountFen: number): Promise<SceneRefund | undefined> {
    const { id: paymentId, outTradeNo } = payment
    const body = { paymentId, amountFen, reason: 'chaos', actingUser: 'li.na' }
    const answer = await this.#call<SceneRefund>('POST', '/v1/refunds', 'li.na', body)
    if (answer.status === 409) return undefined
    if (answer.status !== 201) throw new Error(`A refund was answered with ${answer.status}.`)
    const { id, outRefundNo } = answer.body
    this.#refunds.push({
      id,
      outRefundNo,
      paymentId,
      outTradeNo,
      amountFen,
      decision: undefined,
      lastAnswer: undefined,
    })
    return answer.body
  }

  async newRefund(payment: ScenePayment, amountFen: number): Promise<SceneRefund> {
    const refund = await this.askRefund(payment, amountFen)
    if (refund === undefined) throw new Error('There should have been enough left to refund.')
    return refund
  }

  refund(id: string): Promise<SceneRefund> {
    return this.#must('GET', `/v1/refunds/${id}`, 'li.na')
  }

  /** Decides and goes on as soon as the decision stands in its row, whatever it came to. */
  async decide(
    { id }: SceneRefund,
    verb: 'approve' | 'reject',
    person: Person = 'wang.wei',
  ): Promise<void> {
    const body = { actingUser: person, reason: 'chaos' }
    const call = this.#call('POST', `/v1/refunds/${id}/${verb}`, person, body)
    call.catch(() => undefined)
    const stored = this.until('the decision is stored', async () => {
      const rows = await this.owner.rows(DECISIONS, [id, verb])
      return rows.length > 0 ? rows : undefined
    })
    await Promise.race([call, stored])
  }

  /** Arms faults at the sandbox. */
  async arm(...faults: readonly (SandboxFault & { readonly code?: string })[]): Promise<void> {
    await this.control('POST', 'faults', faults)
  }

  /** Somebody refunds by hand in the channel's own portal. */
  async refundByHand(outTradeNo: string, amountFen: number): Promise<ChannelRefund> {
    const { mchId } = this.merchant
    const notifyUrl = await this.notifyUrl('refund')
    const body = { mchId, outTradeNo, amountFen, notifyUrl }
    const refund = await this.control<ChannelRefund>('POST', 'refund', body)
    this.#portalRefunds.push(refund)
    return refund
  }

  /** Where the channel tells this merchant of things. */
  async notifyUrl(kind: 'payment' | 'refund'): Promise<string> {
    const rows = await this.owner.rows<{ token: string }>(TOKEN, [this.world.merchantId])
    return `${this.world.apiUrls[0]}/notify/${only(rows).token}/${kind}`
  }

  book(): Promise<{ readonly orders: ChannelOrder[]; readonly refunds: ChannelRefund[] }> {
    return this.control('GET', `book?mchId=${this.merchant.mchId}`)
  }

  /** Waits until a refund has ended at the channel, however it did. */
  async refundEnded(outRefundNo: string): Promise<void> {
    await this.until('the channel has ended the refund', async () => {
      const { refunds } = await this.book()
      return refunds.find(
        (each) => each.outRefundNo === outRefundNo && each.refundStatus !== 'PROCESSING',
      )
    })
  }

  control<Answer>(method: 'GET' | 'POST', what: string, body?: unknown): Promise<Answer> {
    return control(this.world, this.#sandbox, method, what, body)
  }

  until<T>(what: string, ask: () => Promise<T | undefined>): Promise<T> {
    const { signal } = new AbortController()
    return until(ask, { what, timeoutMs: STEP_WITHIN_MS, signal })
  }

  async #must<Body>(
    method: 'GET' | 'POST',
    path: string,
    person: Person,
    body?: object,
  ): Promise<Body> {
    const answer = await this.#call<Body>(method, path, person, body)
    if (answer.status < 400) return answer.body
    throw new Error(`${method} ${path} was answered with ${answer.status}.`)
  }

  async #call<Body>(
    method: 'GET' | 'POST',
    path: string,
    person: Person,
    body?: object,
    key: string = randomUUID(),
  ): Promise<Answered<Body>> {
    const reply = await request(`${this.world.apiUrls[0]}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${this.#keys[person]}`,
        'idempotency-key': key,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    return { status: reply.statusCode, body: (await reply.body.json()) as Body }
  }
}

const MCH_ID = { text: 'select mch_id as "mchId" from channel_accounts where merchant_id = $1' }
const TOKEN = { text: 'select notify_token as token from channel_accounts where merchant_id = $1' }
const FAILED = { text: `select id from payments where out_trade_no = $1 and state = 'failed'` }
const DECISIONS = { text: 'select 1 from refund_decisions where refund_id = $1 and verb = $2' }

async function control<Answer>(
  { sandbox }: ChaosWorld,
  dispatcher: Agent,
  method: 'GET' | 'POST',
  what: string,
  body?: unknown,
): Promise<Answer> {
  const reply = await request(`${sandbox.controlUrl}/${what}`, {
    method,
    dispatcher,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const answer = await reply.body.json()
  if (reply.statusCode === 200) return answer as Answer
  throw new Error(`The sandbox refused ${what}: ${JSON.stringify(answer)}`)
}

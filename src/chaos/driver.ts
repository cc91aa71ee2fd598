import { setTimeout as sleep } from 'node:timers/promises'

import type { ArmedFaults } from './armed-faults.js'
import { isRefusal, type ChaosClient, type PaymentAnswer, type RefundAnswer } from './client.js'
import type { DrivenPortalRefund } from './driven.js'
import type { PortalKind } from './kinds.js'
import type { Plan, PlannedOrder, PlannedRefund } from './plan.js'
import type { SandboxDesk } from './sandbox-desk.js'

const IN_FLIGHT = 12
/** The shortest life of an order, and a usual one, on the channel's clock. */
const LIFE_S = { leaves: 5 * 60, pays: 3 * 60 * 60 }
const WAIT_S = 5
/** A message that died with a worker is sent again after two minutes. */
const PAID_WITHIN_MS = 170_000
const LOOK_EVERY_MS = 200

/** The channel's word for a refund of more than is left. */
const TOO_MUCH = 'ERROR'

/** Something the API or the channel said no to where the plan expected a yes. */
export interface Surprise {
  readonly subject: string
  readonly sentence: string
}

interface TakenPayment {
  readonly order: PlannedOrder
  readonly answer: PaymentAnswer
  isPaid: boolean
}

export interface TakenRefund {
  readonly order: PlannedOrder
  readonly plan: PlannedRefund
  readonly answer: RefundAnswer
  readonly payment: PaymentAnswer
  decision: 'approve' | 'reject' | undefined
}

interface MadeByHand extends DrivenPortalRefund {
  readonly kind: PortalKind
}

export interface DriverParts {
  readonly client: ChaosClient
  readonly desk: SandboxDesk
  readonly faults: ArmedFaults
  readonly mchId: string
  readonly refundNotifyUrl: string
  /** How many APIs there are. */
  readonly apis: number
  /** Told when an order is begun, and when it is over, with how many were before. */
  readonly onBegun: (count: number) => void
  readonly onOver: (count: number) => void
}

/** Plays the buyers, the shop and its approver, many orders at once. */
export class Driver {
  readonly #parts: DriverParts
  readonly payments: TakenPayment[] = []
  readonly refunds: TakenRefund[] = []
  readonly portalRefunds: MadeByHand[] = []
  readonly surprises: Surprise[] = []
  /** Requests for more than was left, and refused as they must be. */
  refusedRequests = 0
  /** Orders that had ended when their money came. */
  paidTooLate = 0
  /** Refunds by hand that the channel refused, since ours was faster. */
  refusedByHand = 0
  #begun = 0
  #over = 0

  constructor(parts: DriverParts) {
    this.#parts = parts
  }

  /** Drives every order as far as it needs a person; what the engine does by itself goes on. */
  async drive({ orders }: Plan): Promise<void> {
    const waiting = orders.values()
    const lane = async (): Promise<void> => {
      for (const order of waiting) {
        this.#parts.onBegun((this.#begun += 1))
        await this.#play(order).catch((error: unknown) => {
          const sentence = error instanceof Error ? error.message : String(error)
          this.surprises.push({ subject: order.outTradeNo, sentence })
        })
        this.#parts.onOver((this.#over += 1))
      }
    }
    await Promise.all(Array.from({ length: IN_FLIGHT }, lane))
  }

  async #play(order: PlannedOrder): Promise<void> {
    const { faults, client, desk, mchId } = this.#parts
    const { outTradeNo, amountFen, buyer } = order
    await faults.arm(order.faults, { outTradeNo })
    const expiresInSeconds = LIFE_S[buyer]
    const answer = await client.createPayment({ outTradeNo, amountFen, expiresInSeconds })
    if (isRefusal(answer)) return this.#surprise(outTradeNo, `was not taken: ${answer.refused}`)
    const payment: TakenPayment = { order, answer, isPaid: false }
    this.payments.push(payment)
    if (buyer === 'leaves') return
    const paid = await desk.pay(mchId, outTradeNo)
    if (paid !== 'paid') return this.#surprise(outTradeNo, `could not be paid: ${paid}`)
    payment.isPaid = true
    const settled = await this.#settled(answer.id)
    if (settled === undefined) return
    if (settled.disposition === 'surplus') {
      // The order had ended before the money came, so that goes back by itself.
      this.paidTooLate += 1
      return
    }
    if (order.portal?.kind === 'portal_refund') await this.#refundByHand(order)
    await Promise.all(order.refunds.map((_, index) => this.#giveBack(payment, index)))
  }

  /** The paid payment; where it is not paid in time, the comparison of the books tells. */
  async #settled(id: string): Promise<PaymentAnswer | undefined> {
    const deadlineMs = Date.now() + PAID_WITHIN_MS
    while (Date.now() < deadlineMs) {
      const answer = await this.#parts.client.payment(id, WAIT_S)
      if (!isRefusal(answer) && answer.state === 'paid') return answer
    }
    return undefined
  }

  async #refundByHand({ outTradeNo, portal }: PlannedOrder): Promise<void> {
    if (portal === undefined) return
    const { desk, mchId, refundNotifyUrl: notifyUrl } = this.#parts
    const { kind, amountFen } = portal
    const made = await desk.refundByHand({ mchId, outTradeNo, amountFen, notifyUrl })
    if (kind === 'portal_refund_race' && made === TOO_MUCH) {
      this.refusedByHand += 1
      return
    }
    if (typeof made === 'string') {
      return this.#surprise(outTradeNo, `could not be refunded by hand: ${made}`)
    }
    const { outRefundNo, refundFee } = made
    this.portalRefunds.push({ outTradeNo, outRefundNo, amountFen: refundFee, kind })
  }

  async #giveBack({ order, answer: payment }: TakenPayment, index: number): Promise<void> {
    const plan = order.refunds[index]
    if (plan === undefined) return
    const { client, faults } = this.#parts
    const { outTradeNo } = order
    const { amountFen } = plan
    const key = `${outTradeNo}-refund-${index}`
    const answer = await client.requestRefund(key, { outTradeNo, amountFen })
    if (isRefusal(answer)) return this.#refusedRefund(order, key, answer.refused)
    const refund: TakenRefund = { order, plan, answer, payment, decision: undefined }
    this.refunds.push(refund)
    await faults.arm(plan.faults, { outTradeNo, outRefundNo: answer.outRefundNo })
    await this.#decideBesidePortal(refund)
  }

  /** Decides a refund; where somebody refunds by hand against it, before or at the same time. */
  async #decideBesidePortal(refund: TakenRefund): Promise<void> {
    const { order, plan, payment } = refund
    if (order.portal?.kind === 'portal_refund_over_rest') {
      await this.#refundByHand(order)
      await this.#booked(payment)
    }
    const decided = this.#decide(refund, plan.decision)
    if (order.portal?.kind !== 'portal_refund_race') return decided
    // Once the approval is answered, ours is about to be sent: either may be first.
    const { isAfterApproval } = order.portal
    const byHand = isAfterApproval
      ? decided.then(() => this.#refundByHand(order))
      : this.#refundByHand(order)
    await Promise.all([decided, byHand])
  }

  /** Waits until the book has the refund by hand; where it never has, the comparison tells. */
  async #booked({ id, amountFen }: PaymentAnswer): Promise<void> {
    const deadlineMs = Date.now() + PAID_WITHIN_MS
    while (Date.now() < deadlineMs) {
      const now = await this.#parts.client.payment(id)
      if (!isRefusal(now) && now.reservedFen + now.refundedFen > amountFen) return
      await sleep(LOOK_EVERY_MS)
    }
  }

  #refusedRefund(order: PlannedOrder, key: string, code: string): void {
    const isMeant = order.isGreedy && code === 'refund_exceeds_payment'
    if (isMeant) this.refusedRequests += 1
    else this.#surprise(key, `was not taken: ${code}`)
  }

  /** Says it to every API at once, as an impatient person with two windows does. */
  async #decide(refund: TakenRefund, verb: 'approve' | 'reject'): Promise<void> {
    const { client, apis } = this.#parts
    const { id, outRefundNo } = refund.answer
    const replies = await Promise.all(
      Array.from({ length: apis }, (_, at) => client.decide(id, verb, at)),
    )
    const refused = replies.find(isRefusal)
    if (refused === undefined) refund.decision = verb
    else this.#surprise(outRefundNo, `could not be decided: ${refused.refused}`)
  }

  #surprise(subject: string, sentence: string): void {
    this.surprises.push({ subject, sentence: `${subject} ${sentence}.` })
  }
}

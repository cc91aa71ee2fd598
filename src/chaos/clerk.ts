import type { ArmedFaults } from './armed-faults.js'
import { isRefusal, type ChaosClient, type RefundAnswer } from './client.js'
import type { TakenRefund } from './driver.js'
import type { SandboxDesk } from './sandbox-desk.js'

export interface ClerkParts {
  readonly client: Pick<ChaosClient, 'refund' | 'cancel' | 'giveUp'>
  readonly desk: Pick<SandboxDesk, 'resolve'>
  readonly faults: Pick<ArmedFaults, 'resolved'>
  readonly mchId: string
}

/** Only a day without a trace of it proves that such a refund was never taken. */
const NOT_PROVED = 'refund_not_proved'

/** The people of the shop and of the channel's back office, who end what waits for a person. */
export class Clerk {
  readonly #parts: ClerkParts
  readonly #over = new Set<string>()
  /** Refunds that were stopped, as more was spoken for than was paid, and then withdrawn. */
  readonly stopped = new Set<TakenRefund>()
  /** Refunds that the channel refused, as one by hand was faster. */
  readonly refused = new Set<TakenRefund>()
  /** Those of them whose first answer was missed, so that they wait for a day to pass. */
  readonly resting = new Set<TakenRefund>()

  constructor(parts: ClerkParts) {
    this.#parts = parts
  }

  /** Looks once at every refund that may need a person, and does what it needs. */
  async attend(refunds: readonly TakenRefund[]): Promise<void> {
    for (const refund of refunds) {
      if (!mayNeedPerson(refund) || this.#over.has(refund.answer.id)) continue
      const now = await this.#parts.client.refund(refund.answer.id)
      if (!isRefusal(now)) await this.#attendTo(refund, now)
    }
  }

  async #attendTo(refund: TakenRefund, now: RefundAnswer): Promise<void> {
    const { client, desk, faults, mchId } = this.#parts
    const { id, state, cause, holdReason, outRefundNo } = now
    if (OVER.has(state)) this.#over.add(id)
    if (state === 'approved' && holdReason === 'over_reserved') {
      this.stopped.add(refund)
      await client.cancel(id)
    }
    if (state !== 'needs_attention') return
    if (cause === 'refused' && isContested(refund)) return this.#giveUp(refund)
    if (await desk.resolve(mchId, outRefundNo)) faults.resolved.add(outRefundNo)
  }

  async #giveUp(refund: TakenRefund): Promise<void> {
    this.refused.add(refund)
    if (this.resting.has(refund)) return
    const reply = await this.#parts.client.giveUp(refund.answer.id)
    if (isRefusal(reply) && reply.refused === NOT_PROVED) this.resting.add(refund)
  }
}

const OVER: ReadonlySet<string> = new Set(['done', 'failed', 'cancelled', 'rejected'])

/** Somebody refunds by hand what was spoken for. */
const isContested = ({ order: { portal } }: TakenRefund): boolean =>
  portal !== undefined && portal.kind !== 'portal_refund'

/** Contested, or to a card that is frozen. */
const mayNeedPerson = (refund: TakenRefund): boolean =>
  isContested(refund) || refund.plan.faults.some(({ kind }) => kind === 'change')

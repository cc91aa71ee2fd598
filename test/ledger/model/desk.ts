import type { Activities } from '../../../src/activities/index.js'
import type { ApiContext } from '../../../src/api/context.js'
import { findOwnRefund } from '../../../src/api/operations/find-own.js'
import { resolveRefund } from '../../../src/api/operations/resolve-refund.js'
import { retryRefund } from '../../../src/api/operations/retry-refund.js'
import type { ApiKeyRow } from '../../../src/db/api-keys.js'
import { findDecision, recordDecision } from '../../../src/db/decisions.js'
import { claimIdempotencyKey } from '../../../src/db/idempotency.js'
import { newId, newOutRefundNo } from '../../../src/db/ids.js'
import type { AccountRow } from '../../../src/db/merchants.js'
import { addPolicy } from '../../../src/db/policies.js'
import type { Database } from '../../../src/db/pool.js'
import { requestRefund } from '../../../src/db/refunds.js'
import { appliedResolutions } from '../../../src/db/resolutions.js'
import { inTransaction } from '../../../src/db/transaction.js'
import type { Channel } from '../../../src/domain/channel.js'
import { CodedError } from '../../../src/domain/errors.js'
import { runActivity } from '../../support/run-activity.js'
import type { Answer, Said } from './book.js'
import { questioned } from './channel.js'
import type { SteppingClock } from './clock.js'
import type { Of } from './commands.js'
import { PEOPLE, type Key, type Who } from './people.js'

const DEADLINE_S = 3_600
const SPACING_S = 60

export interface RealRefund {
  readonly id: string
  readonly outRefundNo: string
  readonly amountFen: number
}

interface Parts {
  /** As the role of the API. */
  readonly api: Database
  readonly clock: SteppingClock
  readonly account: AccountRow
  readonly keys: Readonly<Record<Key, string>>
  readonly activities: (channel: Partial<Channel>) => Activities
  readonly refund: (name: string) => RealRefund
  /** A request that was taken. */
  readonly requested: (refund: RealRefund) => void
}

/** What people do about refunds, as the API does it; a worker is told at once. */
export class Desk {
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  async addPolicy({ policy }: Of<'policy'>): Promise<Answer> {
    const { api, clock, account, keys } = this.#parts
    const now = clock.now()
    const { isSpaced, ...rest } = policy
    const spacingSeconds = isSpaced ? SPACING_S : 0
    const by = { merchantId: account.merchantId, keyId: keys.one, auditId: newId(now), now }
    const version = await addPolicy(
      api,
      { ...rest, spacingSeconds, deadlineSeconds: DEADLINE_S },
      { ...by, actingUser: 'Alice' },
    )
    return `version ${version}`
  }

  /** Claims the key and asks in one transaction. */
  async request({ id, paymentId, amountFen, shipped, key }: Of<'request'>): Promise<Answer> {
    const { api, clock, account, keys, requested } = this.#parts
    const now = clock.now()
    const { merchantId } = account
    const outRefundNo = newOutRefundNo(now)
    const asked = { id, merchantId, paymentId, outRefundNo, amountFen, shipped, reason: 'x' }
    const requestHash = Buffer.from(`${paymentId} ${amountFen}`)
    const refusal = { text: '' }
    const answer = inTransaction(api, async (tx) => {
      const of = { merchantId, clientId: keys.one, route: 'POST /v1/refunds', key }
      const claim = await claimIdempotencyKey(tx, { ...of, requestHash, objectId: id, now })
      if (claim.kind === 'known') return `known ${claim.objectId}`
      if (claim.kind === 'conflict') return 'conflict'
      const { outcome, leftFen } = await requestRefund(tx, {
        ...asked,
        requestedBy: keys.one,
        requestedFor: PEOPLE.asker.name,
        expiresAt: now,
        eventId: newId(now),
        auditId: newId(now),
        now,
      })
      if (outcome === 'requested') return `requested ${leftFen}`
      refusal.text = `${outcome} ${leftFen}`
      throw new Error('A refused request leaves its key unused.')
    })
    const said = await answer.catch((error: unknown) => {
      if (refusal.text === '') throw error
      return refusal.text
    })
    if (said.startsWith('requested')) requested({ id, outRefundNo, amountFen })
    return said
  }

  async decide({ refundId, verb, who }: Of<'decide'>): Promise<Answer> {
    const { api, clock, keys, refund, activities } = this.#parts
    const now = clock.now()
    const { id } = refund(refundId)
    const decision = await recordDecision(api, {
      id: newId(now),
      refundId: id,
      verb,
      principalId: keys[PEOPLE[who].key],
      actingUser: PEOPLE[who].name,
      reason: 'x',
      now,
    })
    const { state } = await activities({}).decideRefund(id, decision.id)
    return this.#decided(state, decision.id)
  }

  async approveInTemporal({ refundId }: Of<'approve in Temporal'>): Promise<Answer> {
    const { clock, refund, activities } = this.#parts
    const decisionId = newId(clock.now())
    const { approveByOperator } = activities({})
    const approval = { decisionId, reason: 'x', runId: 'run' }
    const { state } = await approveByOperator(refund(refundId).id, approval)
    return this.#decided(state, decisionId)
  }

  async #decided(state: string, decisionId: string): Promise<Answer> {
    const decision = await findDecision(this.#parts.api, decisionId)
    return `${state}, ${decision?.outcome}`
  }

  async retry({ refundId, who, says }: Of<'retry'>): Promise<Answer> {
    const { id } = this.#parts.refund(refundId)
    return this.#coded(async () => {
      const heard = { outcome: 'before' }
      const call = { client: this.#client(who), refundId: id, actingUser: PEOPLE[who].name }
      const context = this.#context(refundId, says, heard)
      const answer = await retryRefund(context, { ...call, reason: 'x' })
      if (answer.kind === 'renewed' && answer.refund.retryOf !== id) return 'renewed another'
      return `${answer.kind} ${heard.outcome}`
    })
  }

  async resolve(verb: 'settle' | 'fail', of: Of<'settle'> | Of<'fail'>): Promise<Answer> {
    const { refundId, who, says } = of
    const { api, refund } = this.#parts
    return this.#coded(async () => {
      const heard = { outcome: 'before' }
      const client = this.#client(who)
      const row = await findOwnRefund(api, client, refund(refundId).id)
      const call = { client, verb, actingUser: PEOPLE[who].name, evidence: 'seen' }
      const { kind } = await resolveRefund(this.#context(refundId, says, heard), row, call)
      return kind === heard.outcome ? kind : `${kind} ${heard.outcome}`
    })
  }

  async #coded(work: () => Promise<Answer>): Promise<Answer> {
    return work().catch((error: unknown) => {
      if (error instanceof CodedError) return error.code
      throw error
    })
  }

  #client(who: Who): ApiKeyRow {
    const { account, keys } = this.#parts
    const { merchantId } = account
    return { id: keys[PEOPLE[who].key], merchantId, name: 'k', scopes: [] }
  }

  /** The parts of the API that these have to do with. */
  #context(refundId: string, says: Said, heard: { outcome: string }): ApiContext {
    const { api, clock, account, activities, refund } = this.#parts
    const { resolveRefund: apply } = activities({
      queryRefund: async () => questioned(refund(refundId), says),
    })
    const parts = {
      db: api,
      clock,
      accounts: { ofMerchant: async () => [{ account, apiV2Keys: [] }] },
      gate: { run: async (call: () => Promise<unknown>) => call() },
      engine: {
        startRefund: async () => undefined,
        refundKick: async ({ id }: { id: string }, resolutionId: string) =>
          runActivity(apply, [id, resolutionId]),
      },
      resolutions: {
        wait: async (id: string) => {
          const [applied] = await appliedResolutions(api, [id])
          heard.outcome = applied?.outcome ?? 'nothing'
          return applied?.outcome
        },
      },
    }
    return parts as unknown as ApiContext
  }
}

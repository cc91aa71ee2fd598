import { storeQueriedRefund } from '../db/refund-facts.js'
import { changeRefund, findRefund, type RefundChange, type RefundRow } from '../db/refunds.js'
import {
  findResolution,
  markResolutionApplied,
  resolutionsOf,
  type RecordedProof,
  type ResolutionRow,
} from '../db/resolutions.js'
import type { EventType } from '../db/outbox.js'
import type { RefundFact, RefundOutcome } from '../domain/channel.js'
import { failPoints } from '../domain/fail-points.js'
import { isUuid } from '../domain/ids.js'
import { fen } from '../domain/money.js'
import { isRefundNews } from '../domain/refund.js'
import {
  judgeResolution,
  judgeRetry,
  proofOf,
  type ResolutionVerdict,
} from '../domain/resolution.js'
import { PROOF_FRESH_MS } from '../domain/waits.js'
import { postSettledOtherwise, type Transfer } from '../ledger/postings.js'
import type { ActivityDependencies } from './dependencies.js'
import { isNoCredentials, noSuchRow } from './failures.js'
import { refundProgress } from './ledger-load.js'
import { settleRefundFacts } from './ledger-settle-refund.js'
import type { RefundProgress } from './progress.js'
import { askAboutRefund } from './refund-question.js'
import { recordOfRefund } from './refund-record.js'
import { withLockedRefund, type LockedRefund } from './refund-transaction.js'

const AT = failPoints('resolveRefund', ['store', 'apply'])

/** A person waits for it, as for every quick try. */
const ASKING_TIMEOUT_MS = 1_500

interface Answer {
  readonly outcome: RefundOutcome
  readonly askedAt: Date
  readonly timeScale: number
}

/**
 * Applies what a person says about a stuck refund. Except for sending the same number again, the
 * channel is asked first: its word, no older than a minute, is the proof and is kept with what it
 * proved. A success always wins over what a person says.
 */
export function createResolveRefund(dependencies: ActivityDependencies) {
  const { database, clock } = dependencies

  return async function resolveRefund(
    refundId: string,
    resolutionId: string,
  ): Promise<RefundProgress> {
    const refund = await findRefund(database, refundId)
    if (refund === undefined) throw noSuchRow('refund', refundId)
    const resolution = await open(resolutionId)
    if (resolution?.refundId !== refundId) return refundProgress(refund, clock)
    if (resolution.verb === 'retry') return apply(resolution, undefined)
    const answer = await askChannel(dependencies, refund)
    const { outcome } = answer
    if (outcome.kind === 'refund' && isForSettling(refund, outcome)) {
      await AT.store(() => storeQueriedRefund(database, refund, outcome, clock.now()))
      await settleRefundFacts(dependencies, refundId)
    }
    return apply(resolution, answer)
  }

  /** A raw signal can carry anything: only a recorded resolution that waits counts. */
  async function open(resolutionId: string): Promise<ResolutionRow | undefined> {
    if (!isUuid(resolutionId)) return undefined
    const resolution = await findResolution(database, resolutionId)
    return resolution?.appliedAt === null ? resolution : undefined
  }

  async function apply(
    { id, refundId }: ResolutionRow,
    answer: Answer | undefined,
  ): Promise<RefundProgress> {
    return AT.apply(() =>
      withLockedRefund(database, refundId, async (locked) => {
        const resolutions = await resolutionsOf(locked.tx, refundId)
        const resolution = resolutions.find((known) => known.id === id)
        const now = clock.now()
        if (resolution?.appliedAt !== null) return refundProgress(locked.refund, clock)
        const proof = answer === undefined ? null : recorded(locked.refund, answer, now)
        const verdict = judge(locked.refund, resolution, resolutions, proof)
        const refund = await move(locked, resolution, verdict, now)
        await markResolutionApplied(locked.tx, id, { outcome: verdict.outcome, proof }, now)
        return refundProgress(refund, clock)
      }),
    )
  }
}

const UNASKED: RefundOutcome = {
  kind: 'unknown',
  code: 'no_credentials',
  message: 'The account has no credentials that can be used, so the channel was not asked.',
  retry: 'later',
}

/** A success wins, and money in transit is where only the channel's word takes it from. */
const isForSettling = (refund: RefundRow, fact: RefundFact): boolean =>
  isRefundNews(refund, fact) && (fact.status === 'success' || refund.inTransit)

async function askChannel(
  { database, clock, openAccount }: ActivityDependencies,
  refund: RefundRow,
): Promise<Answer> {
  const askedAt = clock.now()
  // Without credentials nobody can be asked. Whoever waits is told so, and the refund goes on.
  const open = await openAccount(refund.accountId).catch((error: unknown) => {
    if (isNoCredentials(error)) return undefined
    throw error
  })
  if (open === undefined) return { outcome: UNASKED, askedAt, timeScale: 1 }
  const { account, channel } = open
  const limit = AbortSignal.timeout(ASKING_TIMEOUT_MS)
  const outcome = await askAboutRefund(database, channel, refund, limit)
  return { outcome, askedAt, timeScale: account.timeScale }
}

/** The channel's word as it is kept. What waited too long for its turn proves nothing any more. */
function recorded(refund: RefundRow, answer: Answer, now: Date): RecordedProof {
  const { outcome, askedAt, timeScale } = answer
  const isFresh = now.getTime() - askedAt.getTime() <= PROOF_FRESH_MS
  const proves = isFresh ? proofOf(outcome, { ...refund, timeScale }, now) : 'silent'
  return { proves, askedAt: askedAt.toISOString(), answer: outcome }
}

function judge(
  refund: RefundRow,
  resolution: ResolutionRow,
  resolutions: readonly ResolutionRow[],
  proof: RecordedProof | null,
): ResolutionVerdict {
  if (resolution.verb === 'retry' || proof === null) return judgeRetry(refund.state, refund.cause)
  const requester = { id: refund.requestedBy, actingUser: refund.requestedFor }
  // What was said before the refund was sent again was said of another try.
  const proposer = resolutions.find(
    ({ verb, outcome, storedAt }) =>
      verb === 'settle' &&
      outcome === 'awaiting_second' &&
      storedAt.getTime() > (refund.lastSubmittedAt?.getTime() ?? 0),
  )
  const terms = {
    state: refund.state,
    requester,
    speaker: speakerOf(resolution),
    proposer: proposer && speakerOf(proposer),
  }
  return judgeResolution(resolution.verb, proof.proves, terms)
}

const speakerOf = ({ principalId, actingUser }: ResolutionRow) => ({ id: principalId, actingUser })

async function move(
  { tx, payment, refund }: LockedRefund,
  resolution: ResolutionRow,
  verdict: ResolutionVerdict,
  now: Date,
): Promise<RefundRow> {
  if (verdict.outcome !== 'applied' || verdict.to === null) return refund
  const { to } = verdict
  const change: RefundChange = { state: to, cause: null, dueAt: null, slowAt: null }
  const { principalId, actingUser, evidence, id } = resolution
  const source = payment.disposition === 'accepted' ? 'returns' : 'suspense'
  const transfers: Transfer[] =
    to === 'settled' ? postSettledOtherwise(refund, fen(refund.amountFen), source) : []
  await Promise.all([
    changeRefund(tx, refund.id, change, now),
    recordOfRefund(tx, refund, {
      type: EVENTS[to],
      actor: { actorKind: 'api_key', actorId: principalId, actingUser },
      facts: { state: to, cause: null, resolutionId: id, evidence },
      transfers,
      now,
    }),
  ])
  return { ...refund, state: to, cause: null }
}

const EVENTS = {
  refunding: 'refund.retried',
  settled: 'refund.settled',
  failed: 'refund.failed',
} as const satisfies Record<string, EventType>

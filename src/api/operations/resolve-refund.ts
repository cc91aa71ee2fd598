import type { ApiKeyRow } from '../../db/api-keys.js'
import { newId } from '../../db/ids.js'
import { findPayment } from '../../db/payments.js'
import { findRefund, type RefundRow } from '../../db/refunds.js'
import { markResolutionSignalled, recordResolution, resolutionsOf } from '../../db/resolutions.js'
import { CodedError, type ErrorCode } from '../../domain/errors.js'
import { isSamePrincipal } from '../../domain/refund.js'
import type { ResolutionOutcome, ResolutionVerb } from '../../domain/resolution.js'
import type { ApiContext } from '../context.js'
import { existing } from '../existing.js'

/** How long a caller waits for the workflow, which asks the channel first. */
const APPLYING_TIMEOUT_MS = 5_000

export interface ResolutionCall {
  readonly client: ApiKeyRow
  readonly actingUser: string
  readonly verb: ResolutionVerb
  readonly evidence: string
}

export type ResolutionAnswer =
  | { readonly kind: 'applied'; readonly resolutionId: string; readonly refund: RefundRow }
  /** It stands in its row and will be applied; nobody has to send it again. */
  | { readonly kind: 'recorded' | 'awaiting_second'; readonly resolutionId: string }

/**
 * Records what a person says about a stuck refund, tells the refund's workflow, and waits until the
 * row says what it did. Who said already that it was settled is told that a second person is due.
 * @throws CodedError why the channel's word does not allow it, or the refund's state
 */
export async function resolveRefund(
  context: ApiContext,
  refund: RefundRow,
  call: ResolutionCall,
): Promise<ResolutionAnswer> {
  const waiting = await ownProposal(context, refund, call)
  if (waiting !== undefined) return { kind: 'awaiting_second', resolutionId: waiting }
  const { client, actingUser, verb, evidence } = call
  const now = context.clock.now()
  const id = newId(now)
  const resolution = { id, refundId: refund.id, verb, principalId: client.id, actingUser }
  await recordResolution(context.db, { ...resolution, evidence, now })
  try {
    await tell(context, refund, id)
  } catch (error) {
    // The row stands; the redelivery loop tells it to the workflow when the engine is back.
    if (!(error instanceof CodedError)) throw error
    return { kind: 'recorded', resolutionId: id }
  }
  const outcome = await context.resolutions.wait(id, APPLYING_TIMEOUT_MS)
  if (outcome === undefined) return { kind: 'recorded', resolutionId: id }
  return answerOf(context, refund.id, id, outcome)
}

/** What this person said before of the same try, and waits for somebody else to confirm. */
async function ownProposal(
  { db }: ApiContext,
  refund: RefundRow,
  { client, actingUser, verb }: ResolutionCall,
): Promise<string | undefined> {
  if (verb !== 'settle' || refund.state !== 'needs_attention') return undefined
  const speaker = { id: client.id, actingUser }
  const resolutions = await resolutionsOf(db, refund.id)
  return resolutions.find(
    (known) =>
      known.outcome === 'awaiting_second' &&
      known.storedAt.getTime() > (refund.lastSubmittedAt?.getTime() ?? 0) &&
      isSamePrincipal({ id: known.principalId, actingUser: known.actingUser }, speaker),
  )?.id
}

async function tell(context: ApiContext, refund: RefundRow, resolutionId: string): Promise<void> {
  const { db, engine, gate, clock } = context
  const { outTradeNo } = existing(await findPayment(db, refund.paymentId))
  await gate.run(() => engine.refundKick({ ...refund, outTradeNo }, resolutionId))
  await markResolutionSignalled(db, resolutionId, clock.now())
}

const REFUSALS: Readonly<
  Record<Exclude<ResolutionOutcome, 'applied' | 'asked_again' | 'awaiting_second'>, ErrorCode>
> = {
  same_principal: 'second_person_required',
  state_conflict: 'refund_state_conflict',
  still_processing: 'refund_still_processing',
  channel_silent: 'channel_silent',
  not_proved: 'refund_not_proved',
  still_owed: 'refund_still_owed',
}

async function answerOf(
  { db }: ApiContext,
  refundId: string,
  resolutionId: string,
  outcome: ResolutionOutcome,
): Promise<ResolutionAnswer> {
  const refund = existing(await findRefund(db, refundId))
  if (outcome === 'awaiting_second') return { kind: outcome, resolutionId }
  if (outcome === 'applied' || outcome === 'asked_again') {
    return { kind: 'applied', resolutionId, refund }
  }
  throw new CodedError(REFUSALS[outcome], { state: refund.state })
}

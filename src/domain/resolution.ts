import type { RefundOutcome } from './channel.js'
import { isFactCause, isOtherAmount, isSamePrincipal, type Principal } from './refund.js'
import type { RefundCause, RefundState } from './states.js'
import { NEVER_TAKEN_MS, scaledMs } from './waits.js'

/**
 * What a person may do about a refund that is stuck: send the same number again, call it given back
 * by other means, call it failed, or have it tried again under a new number.
 */
export const RESOLUTION_VERBS = ['retry', 'settle', 'fail', 'renew'] as const
export type ResolutionVerb = (typeof RESOLUTION_VERBS)[number]

/** What the channel's own word, asked for just now, proves about where the money is. */
export type Proof =
  /** Back with the merchant; the buyer is still owed. */
  | 'returned'
  /** Closed for good: the money never left. */
  | 'closed'
  | 'never_taken'
  /** The buyer has it. */
  | 'success'
  | 'processing'
  /** The channel did not say. */
  | 'silent'
  /** The channel does not know the number yet, which may be too early to tell. */
  | 'unproved'

export interface SubmitHistory {
  /** What was asked for, in fen, and the total of its order as it was sent. */
  readonly amountFen: number
  readonly totalFen: number
  /** The answer to one of its submits was missed. */
  readonly maybeTaken: boolean
  /** The channel said that it took the refund. */
  readonly acceptedAt: Date | null
  readonly lastSubmittedAt: Date | null
  /** What the account's waits are multiplied by. */
  readonly timeScale: number
}

/**
 * What a query's answer proves. That the channel does not know a number is proof only when each of
 * its submits was definitely refused, or a day after the last one; and what shows other amounts
 * proves nothing about this refund.
 */
export function proofOf(outcome: RefundOutcome, history: SubmitHistory, now: Date): Proof {
  switch (outcome.kind) {
    case 'refund':
      if (isOtherAmount(history, outcome)) return 'unproved'
      return outcome.status === 'abnormal' ? 'returned' : outcome.status
    case 'not_exist':
      return isNeverTaken(history, now) ? 'never_taken' : 'unproved'
    case 'refused':
    case 'unknown':
      return 'silent'
  }
}

function isNeverTaken(history: SubmitHistory, now: Date): boolean {
  if (history.acceptedAt !== null) return false
  if (!history.maybeTaken) return true
  const sentMs = history.lastSubmittedAt?.getTime() ?? now.getTime()
  return now.getTime() - sentMs >= scaledMs(NEVER_TAKEN_MS, history.timeScale)
}

export type ResolutionOutcome =
  | 'applied'
  /** Its question to the channel begins anew at once; nothing else changes. */
  | 'asked_again'
  /** Recorded, and waits for somebody else to say the same. */
  | 'awaiting_second'
  | 'same_principal'
  | 'state_conflict'
  | 'still_processing'
  | 'channel_silent'
  | 'not_proved'
  | 'still_owed'

export type ResolutionVerdict =
  | { readonly outcome: 'applied'; readonly to: 'refunding' | 'settled' | 'failed' | null }
  | { readonly outcome: Exclude<ResolutionOutcome, 'applied'> }

/**
 * Sending the same number again is always safe; it needs no proof, but a reason to do it. Where the
 * channel has shown the refund already there is nothing to send, so it is only asked again.
 */
export function judgeRetry(state: RefundState, cause: RefundCause | null): ResolutionVerdict {
  if (isFactCause(cause)) return { outcome: 'asked_again' }
  if (state === 'needs_attention') return { outcome: 'applied', to: 'refunding' }
  if (state === 'approved' || state === 'refunding') return { outcome: 'asked_again' }
  return { outcome: 'state_conflict' }
}

/** Who says something: an API key and who used it. */
type Speaker = Pick<Principal, 'id' | 'actingUser'>

export interface ResolutionTerms {
  readonly state: RefundState
  /** Nobody asked for a refund that the engine or somebody in the channel's portal made. */
  readonly requester: { readonly id: string | null; readonly actingUser: string }
  readonly speaker: Speaker
  /** Who said that it was settled and waits for a second person; undefined when nobody did. */
  readonly proposer: Speaker | undefined
}

/**
 * Whether a person's word, with the channel's, ends a refund or frees its number. Settling takes
 * two: the second is neither the first nor the one who asked for the refund.
 */
export function judgeResolution(
  verb: Exclude<ResolutionVerb, 'retry'>,
  proof: Proof,
  terms: ResolutionTerms,
): ResolutionVerdict {
  const wanted = verb === 'renew' ? 'failed' : 'needs_attention'
  if (terms.state !== wanted) return { outcome: 'state_conflict' }
  const missing = LACKING[proof]
  if (missing !== null) return { outcome: missing }
  if (verb === 'renew') {
    return proof === 'returned' ? { outcome: 'still_owed' } : { outcome: 'applied', to: null }
  }
  if (verb === 'fail') {
    return proof === 'returned' ? { outcome: 'still_owed' } : { outcome: 'applied', to: 'failed' }
  }
  return judgeSettling(terms)
}

const LACKING: Readonly<
  Record<Proof, 'still_processing' | 'channel_silent' | 'not_proved' | 'state_conflict' | null>
> = {
  returned: null,
  closed: null,
  never_taken: null,
  success: 'state_conflict',
  processing: 'still_processing',
  silent: 'channel_silent',
  unproved: 'not_proved',
}

function judgeSettling({ requester, speaker, proposer }: ResolutionTerms): ResolutionVerdict {
  if (proposer === undefined) return { outcome: 'awaiting_second' }
  return isSamePrincipal(proposer, speaker) || isSamePrincipal(requester, speaker)
    ? { outcome: 'same_principal' }
    : { outcome: 'applied', to: 'settled' }
}

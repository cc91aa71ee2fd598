import type { OrderOutcome } from '../domain/channel.js'
import type { PaymentState, RefundCause, RefundState } from '../domain/states.js'

/** What an activity tells a workflow: states and durations, never what belongs in a row. */
export interface PaymentProgress {
  readonly state: PaymentState
  /** Why a person is needed, or null. */
  readonly attention: string | null
  /** Wall-clock milliseconds until closing begins; 0 when it should have begun. */
  readonly closesInMs: number
}

/** What the channel said of an order when somebody asked, and whether it is still to be settled. */
export interface PaymentSaid {
  readonly said: OrderOutcome['kind']
  readonly isNews: boolean
}

/**
 * How a question to the channel about a refund ended, where a fact is not all: it takes long, or
 * the account must be set right first (`held`), or was (`released`).
 */
export type RefundAsked = 'slow' | 'held' | 'released' | undefined

export interface RefundProgress {
  readonly state: RefundState
  readonly cause: RefundCause | null
  /** One sentence for the operator, such as why a decision was refused. */
  readonly note: string | null
  /** Wall-clock milliseconds a decision may still take. */
  readonly decideInMs: number
}

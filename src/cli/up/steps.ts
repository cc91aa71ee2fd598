/** What has to happen in the demo, in this order. */
export const STEP_NAMES = [
  'created',
  'placed',
  'buyer paid',
  'notification lost',
  'asked',
  'paid',
  'refund requested',
  'pending',
  'approved by signal',
  'submitted',
  'accepted',
  'notified',
  'confirmed',
  'done',
  'verdict',
] as const
/** A refund that the reader rejects ends otherwise. */
export type StepName = (typeof STEP_NAMES)[number] | 'rejected'

export type StepActor = 'shop' | 'buyer' | 'engine' | 'channel' | 'approver' | 'operator'

/** One thing that was seen to have happened. */
export interface Step {
  readonly at: Date
  readonly actor: StepActor
  readonly what: StepName
  /** Of the payment or refund that the workflow is about, once it had happened. */
  readonly state: string
  readonly workflowId: string
  readonly runId: string
  /** Entries of the journal that it made. */
  readonly journalIds: readonly string[]
  /** The order, transaction or refund in the channel's own book; null while it knows none. */
  readonly channelRef: string | null
  /** Facts that only this step has. */
  readonly more?: Readonly<Record<string, string | number | boolean>>
}

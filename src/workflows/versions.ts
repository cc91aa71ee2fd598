import { patched } from '@temporalio/workflow'

/**
 * The changes of our workflows that a history from before them does not have, each with what it
 * changed and since when. A workflow that began earlier goes on as it began (Temporal, "Patching").
 * A name is never used again; docs/upgrading.md says when one may go.
 */
export type WorkflowChange =
  /** 0.2.0: asked for its parameters, a payment that nobody has placed is placed. */
  | 'place-when-asked'
  /** 0.2.0: a fact that comes while the channel is asked at expiry is settled at once. */
  | 'settle-while-closing'

/** Whether this workflow has the change; writes one marker the first time that it is asked. */
export const hasChange = (change: WorkflowChange): boolean => patched(change)

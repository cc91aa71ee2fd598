import type { ActivityInterfaceFor } from '@temporalio/workflow'
import type { Activities } from '../activities/index.js'
import { failPoints } from '../domain/fail-points.js'

type Steps<Name extends keyof Activities> = Pick<ActivityInterfaceFor<Activities>, Name>

/**
 * The activities that a workflow runs in one way, each inside a fail point of its own. Those that
 * are not named cannot be called, so that no step of a workflow is without one.
 */
export function steps<Name extends keyof Activities>(owner: string, names: readonly Name[]) {
  const at = failPoints(owner, names)
  return (activities: Steps<Name>): Steps<Name> => {
    const wrapped = names.map((name) => {
      const run = activities[name] as (...given: unknown[]) => Promise<unknown>
      return [name, (...given: unknown[]) => at[name](() => run(...given))]
    })
    return Object.fromEntries(wrapped) as Steps<Name>
  }
}

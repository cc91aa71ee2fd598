import { proxySinks, type Sinks, type WorkflowInterceptors } from '@temporalio/workflow'

import { watchFailPoints, type FailPointSide } from '../../../src/domain/fail-points.js'

/** What the workflows of a watched worker call outside. */
export interface FailPointSinks extends Sinks {
  readonly failPoints: { readonly pass: (name: string, side: FailPointSide) => void }
}

const { failPoints } = proxySinks<FailPointSinks>()

/**
 * Bundled beside the workflows. What a workflow passes is told when its activation ends, before
 * Temporal hears of it, so that whoever dies there has reported nothing of the whole activation.
 */
export function interceptors(): WorkflowInterceptors {
  watchFailPoints((name, side) => failPoints.pass(name, side))
  return {}
}

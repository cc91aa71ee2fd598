import type { Database } from '../db/pool.js'
import { markRefundStarted, unstartedRefunds } from '../db/surplus-refunds.js'
import { failPoints } from '../domain/fail-points.js'
import type { Engine } from './client.js'

const AT = failPoints('surplusRefunds', ['start', 'mark'])

const BATCH_MAX = 50

export interface SurplusRefundsDependencies {
  readonly database: Database
  readonly engine: Pick<Engine, 'resumeRefund'>
  readonly clock: { now(): Date }
  readonly onError: (error: unknown) => void
}

/**
 * Starts the workflows of refunds that the engine opened by itself. The row was committed with the
 * money it gives back, so whatever dies in between, the next tick finds it; starting twice is
 * harmless, because a run goes on from the row.
 * @returns how many were found
 */
export function createSurplusRefunds(dependencies: SurplusRefundsDependencies) {
  const { database, engine, clock, onError } = dependencies
  return async function tick(): Promise<number> {
    const refunds = await unstartedRefunds(database, BATCH_MAX)
    for (const refund of refunds) {
      try {
        await AT.start(() => engine.resumeRefund(refund))
        await AT.mark(() => markRefundStarted(database, refund.id, clock.now()))
      } catch (error) {
        onError(error)
      }
    }
    return refunds.length
  }
}

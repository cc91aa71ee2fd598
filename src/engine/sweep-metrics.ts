import type { Logger } from 'pino'
import { Counter, type Registry } from 'prom-client'

import type { SweepDependencies } from './sweep.js'

export interface SweepMetrics extends Pick<SweepDependencies, 'onStarted'> {
  /** Counts what a tick of the redelivery sends again. */
  readonly counted: (redelivery: () => Promise<number>) => () => Promise<number>
}

/** Counts and logs what was left behind and found: where all is well, both stay at 0. */
export function createSweepMetrics(registry: Registry, logger: Pick<Logger, 'warn'>): SweepMetrics {
  const started = new Counter({
    name: 'sweep_started_total',
    help: 'Workflows that a row should have had and that were started from it.',
    labelNames: ['kind'],
    registers: [registry],
  })
  const resent = new Counter({
    name: 'sweep_resent_total',
    help: 'Facts, decisions and resolutions that nobody applied and that were sent again.',
    registers: [registry],
  })
  for (const kind of ['payment', 'refund']) started.inc({ kind }, 0)
  return {
    onStarted({ kind, id }) {
      started.inc({ kind })
      logger.warn({ kind, id }, 'a row had no workflow; it was started from the row')
    },
    counted: (redelivery) => async () => {
      const count = await redelivery()
      resent.inc(count)
      return count
    },
  }
}

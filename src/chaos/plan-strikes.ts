import type { Draw } from '../cli/seed/draw.js'
import { STRIKE_KINDS, type StrikeKind } from './kinds.js'
import type { PlannedStrike } from './plan.js'
import type { Profile } from './profiles.js'

const SECOND_MS = 1_000
const MINUTE_MS = 60 * SECOND_MS

/** Workers die more often than what they stand on. */
const ORDERS_PER_STRIKE: Readonly<Record<StrikeKind, number>> = {
  worker_killed: 60,
  workers_killed: 200,
  api_killed: 80,
  apis_killed: 200,
  sandbox_killed: 100,
  temporal_killed: 200,
  postgres_restarted: 200,
  channel_clock_jump: 100,
  process_clock_jump: 100,
}

const MS: Readonly<Record<StrikeKind, { readonly least: number; readonly most: number }>> = {
  worker_killed: { least: 0, most: 2 * SECOND_MS },
  workers_killed: { least: SECOND_MS, most: 2 * SECOND_MS },
  api_killed: { least: 0, most: SECOND_MS },
  apis_killed: { least: SECOND_MS, most: 2 * SECOND_MS },
  sandbox_killed: { least: 0, most: SECOND_MS },
  temporal_killed: { least: 0, most: SECOND_MS },
  postgres_restarted: { least: 0, most: SECOND_MS },
  channel_clock_jump: { least: MINUTE_MS, most: 5 * MINUTE_MS },
  process_clock_jump: { least: -20 * SECOND_MS, most: 20 * SECOND_MS },
}

/** Strikes one after the other, spread over the orders, in an order that is drawn. */
export function planStrikes(
  draw: Draw,
  { kinds, workers, apis }: Profile,
  payments: number,
): PlannedStrike[] {
  const drawn = STRIKE_KINDS.filter((kind) => kinds.includes(kind)).flatMap((kind) => {
    const count = Math.max(1, Math.round(payments / ORDERS_PER_STRIKE[kind]))
    return Array.from({ length: count }, () => ({ kind, by: draw.bits() }))
  })
  return drawn
    .toSorted((one, other) => one.by - other.by)
    .map(({ kind }, index) => ({
      kind,
      afterOrders: Math.floor(((index + 1) * payments) / (drawn.length + 1)),
      target: draw.below(kind === 'api_killed' ? apis : workers),
      ms: draw.between(MS[kind].least, MS[kind].most),
    }))
}

import { benchSettle } from '../settle.js'
import type { Measured } from '../support/loop.js'
import { atLeast, line, rate } from '../support/print.js'

const GUARDS_LEAST = 0.6
const SEALER_LEAST = 0.7

/** What the guards cost, and what the sealer costs beside them. */
export async function bench(): Promise<boolean> {
  const result = await benchSettle()
  const { unsealed, sealed, guardRatio, sealerRatio, pgbenchPerSecond } = result
  lines('settle, no guards', result.floor)
  lines('settle, no guards, in one go', result.floorInOneGo)
  const pgbench =
    pgbenchPerSecond === undefined ? 'not installed' : `${pgbenchPerSecond.toFixed(1)}/s`
  line('settle, no guards, pgbench', pgbench)
  lines('settle, every guard', unsealed)
  lines('settle, every guard and sealer', sealed)
  line('guards against none, median', atLeast(guardRatio, GUARDS_LEAST))
  line('sealer on against off, median', atLeast(sealerRatio, SEALER_LEAST))
  return guardRatio >= GUARDS_LEAST && sealerRatio >= SEALER_LEAST
}

const lines = (name: string, rounds: readonly Measured[]): void => {
  for (const [round, measured] of rounds.entries()) line(`${name}, ${round + 1}`, rate(measured))
}

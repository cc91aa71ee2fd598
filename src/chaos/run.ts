import { createProgressBar } from '../cli/progress-bar.js'
import { runDrill, type DrillResult } from './drill.js'
import { openGround, type Ground } from './ground.js'
import type { Plan } from './plan.js'
import { PROFILES } from './profiles.js'
import { playSabotage, type Played } from './sabotage/play.js'
import type { Sabotage } from './sabotage/sabotage.js'
import { SandboxDesk } from './sandbox-desk.js'
import { startSystem } from './system.js'

/** A message that died with a worker is sent again after two minutes and goes on from there. */
const QUIET_WITHIN_MS = 240_000
/** A planted bug leaves things that never end, so they are not waited for as long. */
const CALM_WITHIN_MS = 30_000
const INTERRUPTED = 130

/** Where a run keeps its data; a temporary folder unless given. */
export interface RunOptions {
  readonly keep?: string
}

/** Runs a plan on a ground of its own, with a bar for whoever waits. */
export function runPlan(plan: Plan, options: RunOptions): Promise<DrillResult> {
  const onProgress = createProgressBar('Chaos')
  return onGround(options, (ground) =>
    runDrill(ground, { plan, quietWithinMs: QUIET_WITHIN_MS, onProgress }),
  )
}

/** Plants a known bug and looks whether it is found. */
export function runSabotage(
  planted: { readonly name: string; readonly bug: Sabotage },
  options: RunOptions,
): Promise<Played> {
  return onGround(options, (ground) => plant(ground, planted))
}

/** Plants a known bug in a system of its own; several can follow each other on one ground. */
export async function plant(
  ground: Ground,
  sabotage: { readonly name: string; readonly bug: Sabotage },
): Promise<Played> {
  const desk = new SandboxDesk(ground.sandboxUrl, ground.sandboxCa)
  const system = await startSystem(ground, desk, { profile: PROFILES.alone, sabotage })
  try {
    return await playSabotage(system.world, sabotage.bug, CALM_WITHIN_MS)
  } finally {
    await system.close()
    await desk.close()
  }
}

async function onGround<Result>(
  { keep }: RunOptions,
  act: (ground: Ground) => Promise<Result>,
): Promise<Result> {
  const ground = await openGround((line) => process.stderr.write(`${line}\n`), keep)
  const stop = onSignals(() => void ground.close().finally(() => process.exit(INTERRUPTED)))
  try {
    return await act(ground)
  } finally {
    stop()
    await ground.close()
  }
}

function onSignals(act: () => void): () => void {
  const signals = ['SIGINT', 'SIGTERM'] as const
  for (const signal of signals) process.once(signal, act)
  return () => {
    for (const signal of signals) process.off(signal, act)
  }
}

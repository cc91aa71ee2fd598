import type { Keyboard } from './keyboard.js'
import type { Screen } from './screen.js'
import type { System } from './system.js'
import type { Texts } from './texts.js'
import type { Timeline } from './timeline.js'
import { until } from './until.js'

/** Everything a scene of the demo is played with. */
export interface Stage {
  readonly system: System
  readonly screen: Screen
  readonly texts: Texts
  readonly timeline: Timeline
  /** Only where somebody sits at a terminal and may be asked. */
  readonly keyboard: Keyboard | undefined
  /** Says that the reader wants to quit. */
  readonly signal: AbortSignal
}

/** The one thing of the demo's own time: how long each step is waited for. */
const STEP_TIMEOUT_MS = 90_000

/** The buyer of the demo, as their mini-program would know them. */
export const DEMO_OPENID = 'oDemoBuyer1'

/** Waits until a step can be seen. @throws Error when that takes too long. */
export const seen = <T>(
  { signal }: Pick<Stage, 'signal'>,
  what: string,
  look: () => Promise<T | undefined>,
): Promise<T> => until(look, { what, timeoutMs: STEP_TIMEOUT_MS, signal })

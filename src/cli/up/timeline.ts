import { appendFileSync } from 'node:fs'

import type { Screen } from './screen.js'
import { STEP_NAMES, type Step, type StepName } from './steps.js'
import type { Texts } from './texts.js'
import { padEnd } from './width.js'

const LABEL_COLUMNS = { en: 20, zh: 10 } as const

/** The steps of the demo, for people as they happen and for programs as lines of JSON. */
export class Timeline {
  readonly #screen: Screen
  readonly #texts: Texts
  readonly #jsonTarget: string | undefined
  readonly #seen = new Set<StepName>()

  /** @param jsonTarget an existing file that lines are added to, or `-` for standard output */
  constructor(screen: Screen, texts: Texts, jsonTarget: string | undefined) {
    this.#screen = screen
    this.#texts = texts
    this.#jsonTarget = jsonTarget
  }

  add(step: Step, text: string): void {
    this.#seen.add(step.what)
    this.#write(step)
    const label = padEnd(this.#texts.steps[step.what], LABEL_COLUMNS[this.#texts.language])
    this.line(`${this.#screen.bold(label)}${text}`, step.at)
  }

  /** Prints a line of the same shape that is no step of the demo. */
  line(text: string, at = new Date()): void {
    this.#screen.print(`  ${this.#screen.dim(clockTime(at))}  ${text}`)
  }

  /** The steps that have not been seen. */
  missing(): StepName[] {
    return STEP_NAMES.filter((name) => !this.#seen.has(name))
  }

  #write(step: Step): void {
    if (this.#jsonTarget === undefined) return
    const { at, actor, what, state, workflowId, runId, journalIds, channelRef, more } = step
    const facts = { actor, what, state, workflowId, runId, journalIds, channelRef, ...more }
    const line = `${JSON.stringify({ at: at.toISOString(), ...facts })}\n`
    if (this.#jsonTarget === '-') process.stdout.write(line)
    else appendFileSync(this.#jsonTarget, line)
  }
}

/** Local time with tenths of a second: `14:03:27.4`. */
function clockTime(at: Date): string {
  const two = (value: number): string => String(value).padStart(2, '0')
  const tenths = Math.floor(at.getMilliseconds() / 100)
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${tenths}`
}

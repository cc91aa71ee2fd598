import { setTimeout as sleep } from 'node:timers/promises'

import type { ArmedFaults } from './armed-faults.js'
import { shiftClock, type ShiftableProcess } from './clocks.js'
import type { Fleet } from './fleet.js'
import type { StrikeKind } from './kinds.js'
import type { PlannedStrike } from './plan.js'
import type { SandboxDesk } from './sandbox-desk.js'

/** For how long the clock of a process stays wrong. */
const WRONG_FOR_MS = 4_000
/** Between two strikes, so that what came back does some work. */
const BREATH_MS = 500

export interface StrikerParts {
  readonly fleet: Pick<Fleet, 'strike' | 'signal'>
  readonly desk: Pick<SandboxDesk, 'jump'>
  readonly faults: Pick<ArmedFaults, 'armAgain'>
  readonly workers: readonly ShiftableProcess[]
  readonly apis: readonly ShiftableProcess[]
}

/** Strikes processes and clocks, one after the other, as the orders go on. */
export class Striker {
  readonly #parts: StrikerParts
  /** What happened, as the processes that it happened to have shown. */
  readonly happened: Partial<Record<StrikeKind, number>> = {}
  #begun = 0
  #wake: () => void = () => undefined

  constructor(parts: StrikerParts) {
    this.#parts = parts
  }

  /** Tells how many orders have been begun. */
  onBegun(count: number): void {
    this.#begun = count
    this.#wake()
  }

  async run(strikes: readonly PlannedStrike[]): Promise<void> {
    for (const strike of strikes) {
      while (this.#begun < strike.afterOrders) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
      }
      if (await this.#strike(strike)) {
        this.happened[strike.kind] = (this.happened[strike.kind] ?? 0) + 1
      }
      await sleep(BREATH_MS)
    }
  }

  /** @returns whether it was seen to happen */
  #strike({ kind, target, ms }: PlannedStrike): Promise<boolean> {
    const { workers, apis } = this.#parts
    switch (kind) {
      case 'worker_killed':
        return this.#kill(workers[target]?.name ?? '', ms)
      case 'workers_killed':
        return this.#killAll(workers, ms)
      case 'api_killed':
        return this.#kill(apis[target]?.name ?? '', ms)
      case 'apis_killed':
        return this.#killAll(apis, ms)
      case 'temporal_killed':
        return this.#kill('temporal', ms)
      case 'sandbox_killed':
        return this.#killSandbox(ms)
      case 'postgres_restarted':
        return this.#crashPostgres(ms)
      case 'channel_clock_jump':
        return this.#jump(ms)
      case 'process_clock_jump':
        return this.#setWrong([workers[target], apis[target]], ms)
    }
  }

  async #kill(name: string, awayMs: number): Promise<boolean> {
    const how = await this.#parts.fleet.strike(name, 'SIGKILL', awayMs)
    return how.includes('SIGKILL')
  }

  /** All of them are away for as long, so that for a while there is none. */
  async #killAll(processes: readonly ShiftableProcess[], awayMs: number): Promise<boolean> {
    const killed = await Promise.all(processes.map(({ name }) => this.#kill(name, awayMs)))
    return killed.every((wasKilled) => wasKilled)
  }

  async #killSandbox(awayMs: number): Promise<boolean> {
    const wasKilled = await this.#kill('sandbox', awayMs)
    await this.#parts.faults.armAgain()
    return wasKilled
  }

  /** SIGQUIT drops every connection in the middle, and the next start recovers from the log. */
  async #crashPostgres(awayMs: number): Promise<boolean> {
    const how = await this.#parts.fleet.strike('postgres', 'SIGQUIT', awayMs)
    return how !== ''
  }

  async #jump(byMs: number): Promise<boolean> {
    return (await this.#parts.desk.jump(byMs)) >= byMs
  }

  async #setWrong(
    processes: readonly (ShiftableProcess | undefined)[],
    byMs: number,
  ): Promise<boolean> {
    const { fleet } = this.#parts
    const shifted = processes.filter((each) => each !== undefined)
    for (const each of shifted) await shiftClock(fleet, each, byMs)
    await sleep(WRONG_FOR_MS)
    for (const each of shifted) await shiftClock(fleet, each, 0)
    return shifted.length > 0
  }
}

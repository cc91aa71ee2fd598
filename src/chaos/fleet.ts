import { setTimeout as sleep } from 'node:timers/promises'

import type { Service, Started } from '../cli/up/supervisor.js'

interface Member {
  readonly service: Service<string>
  started: Started
  /** We are about to end it ourselves, so its end is no news. */
  isExpected: boolean
}

/** The end of a process that nobody asked for. */
export interface Death {
  readonly name: string
  readonly how: string
}

/** The processes of a drill: started, struck, started again, and stopped in reverse. */
export class Fleet {
  readonly #members = new Map<string, Member>()
  readonly #stopping = new AbortController()
  /** Ends that nobody asked for; each of them is a finding. */
  readonly deaths: Death[] = []
  /** How often a process was started again. */
  restarts = 0

  async start(service: Service<string>): Promise<void> {
    const started = await service.start(this.#stopping.signal)
    const member = { service, started, isExpected: false }
    this.#members.set(service.name, member)
    this.#watch(member)
  }

  /**
   * Ends a process the hard way, leaves it away for a while, and starts it again.
   * @returns how it ended, as the system told
   */
  async strike(name: string, signal: NodeJS.Signals, awayMs: number): Promise<string> {
    const member = this.#member(name)
    member.isExpected = true
    const { pid, exited } = member.started
    try {
      process.kill(pid, signal)
    } catch {
      // It has died by itself just now, and how it ended says so.
    }
    const how = await exited
    await sleep(awayMs)
    member.started = await member.service.start(this.#stopping.signal)
    member.isExpected = false
    this.#watch(member)
    this.restarts += 1
    return how
  }

  /** Sends a signal that a process is to live with. */
  signal(name: string, signal: NodeJS.Signals): void {
    process.kill(this.#member(name).started.pid, signal)
  }

  /** Stops the named processes, or all of them: the last started first. */
  async stop(names: readonly string[] = [...this.#members.keys()]): Promise<void> {
    if (names.length === this.#members.size) this.#stopping.abort(new Error('The drill is over.'))
    for (const name of names.toReversed()) {
      const member = this.#members.get(name)
      if (member === undefined) continue
      member.isExpected = true
      await member.started.stop()
      this.#members.delete(name)
    }
  }

  #member(name: string): Member {
    const member = this.#members.get(name)
    if (member === undefined) throw new Error(`There is no ${name}.`)
    return member
  }

  #watch(member: Member): void {
    const { started, service } = member
    void started.exited.then((how) => {
      if (!member.isExpected) this.deaths.push({ name: service.name, how })
    })
  }
}

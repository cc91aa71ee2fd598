import { appendFile } from 'node:fs/promises'

/** The processes of the running system, in the order in which they are stopped. */
export const STOP_ORDER = ['api', 'worker', 'sandbox', 'temporal', 'postgres'] as const
export type ServiceName = (typeof STOP_ORDER)[number]

/** A process that runs. */
export interface Started {
  readonly pid: number
  /** Resolves when it has ended, with a sentence on how. */
  readonly exited: Promise<string>
  stop(): Promise<void>
}

/** How one process is started, as often as that is needed. */
export interface Service<Name extends string = ServiceName> {
  readonly name: Name
  readonly logFile: string
  /** Resolves when it is ready. @throws Error when it does not become so, or on the signal. */
  start(signal: AbortSignal): Promise<Started>
}

/** What the supervisor has to tell of a process that ended by itself. */
export interface Death {
  readonly service: Service
  readonly how: string
  /** Which restart this leads to, from 1; undefined when it was one death too many. */
  readonly restart: number | undefined
}

interface Entry {
  readonly service: Service
  readonly starting: Promise<Started>
  restarts: number
  /** We ended it ourselves, so its end is no news. */
  isExpected: boolean
}

/** Who is told of what happens to the processes. */
export interface Listener {
  readonly onStarted: (name: ServiceName, tookMs: number) => void
  readonly onDeath: (death: Death) => void
}

export const RESTARTS_MAX = 3

/** Keeps the processes running, and stops them in order. */
export class Supervisor {
  readonly #entries = new Map<ServiceName, Entry>()
  readonly #stopping = new AbortController()
  readonly #journalFile: string
  readonly #listener: Listener
  #stopped: Promise<void> | undefined

  /** @param journalFile gets a line of JSON for each start, death and stop */
  constructor(journalFile: string, listener: Listener) {
    this.#journalFile = journalFile
    this.#listener = listener
  }

  /** Starts a process, watches it from then on, and answers its process id. */
  async start(service: Service, restarts = 0): Promise<number> {
    this.#stopping.signal.throwIfAborted()
    const beganAtMs = performance.now()
    const starting = service.start(this.#stopping.signal)
    const entry: Entry = { service, starting, restarts, isExpected: false }
    this.#entries.set(service.name, entry)
    const started = await starting
    await this.#note('started', service.name, started.pid)
    this.#listener.onStarted(service.name, performance.now() - beganAtMs)
    void started.exited.then((how) => this.#onExit(entry, how))
    return started.pid
  }

  /**
   * Ends a process the hard way, as a failing machine would, and waits until it is gone.
   *
   * @throws Error when it was never started.
   */
  async kill(name: ServiceName): Promise<number> {
    const entry = this.#entries.get(name)
    if (entry === undefined) throw new Error(`There is no ${name} to kill.`)
    entry.isExpected = true
    const { pid, exited } = await entry.starting
    process.kill(pid, 'SIGKILL')
    await exited
    await this.#note('killed', name, pid)
    return pid
  }

  /** Stops everything, each process before the ones it needs; repeating it waits for the first. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stopAll()
    return this.#stopped
  }

  async #stopAll(): Promise<void> {
    this.#stopping.abort(new Error('Stopped before it was ready.'))
    for (const name of STOP_ORDER) {
      const entry = this.#entries.get(name)
      // A start that failed has cleaned up behind itself.
      const started = await entry?.starting.catch(() => undefined)
      if (started === undefined) continue
      await started.stop()
      await this.#note('stopped', name, started.pid)
    }
  }

  async #onExit(entry: Entry, how: string): Promise<void> {
    if (this.#stopping.signal.aborted || entry.isExpected) return
    const { service } = entry
    await this.#note('died', service.name, (await entry.starting).pid)
    const restart = entry.restarts < RESTARTS_MAX ? entry.restarts + 1 : undefined
    this.#listener.onDeath({ service, how, restart })
    if (restart === undefined) return
    await this.start(service, restart).catch((error: unknown) => {
      if (this.#stopping.signal.aborted) return
      this.#listener.onDeath({ service, how: describe(error), restart: undefined })
    })
  }

  async #note(event: string, name: ServiceName, pid: number): Promise<void> {
    const line = JSON.stringify({ at: new Date().toISOString(), event, name, pid })
    await appendFile(this.#journalFile, `${line}\n`)
  }
}

const describe = (error: unknown): string =>
  error instanceof Error ? error.message : String(error)

import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'

import { startChild, type RunningChild } from '../../../src/cli/local/child.js'
import { cloneRoot } from '../../../src/cli/local/clone.js'
import { environmentOf, readComposeFile, type Service } from '../compose-file.js'
import type { ReplacedNames } from './replaced-names.js'

const run = promisify(execFile)
const HEALTH_POLL_MS = 200
const HEALTH_TIMEOUT_MS = 90_000

const { services } = readComposeFile()

/** A service that was started and is told to stop as Compose tells it. */
interface Started {
  readonly name: string
  readonly child: RunningChild
}

/** The services of docker-compose.yml, run by their own words as processes of this machine. */
export class PlainServices {
  readonly #names: ReplacedNames
  readonly #dotEnv: Readonly<Record<string, string>>
  readonly #folder: string
  readonly #searchPath: string
  readonly #running: Started[] = []

  /**
   * @param dotEnv what stands in `.env`
   * @param folder where pid files and logs of the processes are written
   */
  constructor(options: {
    readonly names: ReplacedNames
    readonly dotEnv: Readonly<Record<string, string>>
    readonly folder: string
    readonly searchPath: string
  }) {
    this.#names = options.names
    this.#dotEnv = options.dotEnv
    this.#folder = options.folder
    this.#searchPath = options.searchPath
  }

  /** The environment of a service's process, with `changes` that only this machine needs. */
  environmentOf(name: string, changes: Readonly<Record<string, string>> = {}) {
    const given = Object.entries(environmentOf(serviceOf(name), this.#dotEnv))
    return {
      PATH: this.#searchPath,
      ...Object.fromEntries(given.map(([key, value]) => [key, this.#names.in(value)])),
      ...changes,
    }
  }

  /** Runs a job to its end and answers what it printed. @throws Error when it does not end well */
  async job(name: string, changes: Readonly<Record<string, string>> = {}): Promise<string> {
    const [command, ...args] = this.#commandOf(name)
    return (await run(command, args, { env: this.environmentOf(name, changes) })).stdout
  }

  /** Runs a command of ours in the place of a service's, as `docker compose run` does. */
  command(name: string, args: readonly string[], input: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const [command, ...entry] = this.#entrypoint()
      const env = this.environmentOf(name)
      const child = execFile(command, [...entry, ...args], { env }, (error, stdout, stderr) => {
        if (error === null) resolve(stdout)
        else reject(new Error(stderr))
      })
      child.stdin?.end(input)
    })
  }

  /** Starts a service and waits until its own health check says that it is well. */
  async start(name: string): Promise<void> {
    const [command, ...args] = this.#commandOf(name)
    const env = this.environmentOf(name)
    const child = await startChild({ name, command, args, stateDir: this.#folder, env })
    this.#running.push({ name, child })
    let ended: string | undefined
    void child.exited.then((how) => {
      ended = how
    })
    const deadlineMs = Date.now() + HEALTH_TIMEOUT_MS
    while (!(await this.isHealthy(name))) {
      if (ended === undefined && Date.now() < deadlineMs) await sleep(HEALTH_POLL_MS)
      else
        throw new Error(`${name}: ${ended ?? 'not well'}\n${readFileSync(child.logFile, 'utf8')}`)
    }
  }

  /** What the health check of a service says now. */
  async isHealthy(name: string, changes: Readonly<Record<string, string>> = {}): Promise<boolean> {
    const [kind, command, ...args] = serviceOf(name).healthcheck?.test ?? []
    if (kind !== 'CMD' || command === undefined) throw new Error(`${name} has no health check.`)
    const replaced = args.map((argument) => this.#names.in(argument))
    const env = { PATH: this.#searchPath, ...changes }
    return run(command, replaced, { env }).then(
      () => true,
      () => false,
    )
  }

  /** Stops what runs, last first, within each service's own time of grace; says how each ended. */
  async stop(): Promise<Record<string, string>> {
    const ends: Record<string, string> = {}
    for (const { name, child } of this.#running.splice(0).toReversed()) {
      await child.stop('SIGTERM', graceMs(serviceOf(name)))
      ends[name] = await child.exited
    }
    return ends
  }

  #commandOf(name: string): [string, ...string[]] {
    const { entrypoint, command = [] } = serviceOf(name)
    const [program, ...args] = [
      ...(entrypoint === undefined ? this.#entrypoint() : entrypoint),
      ...command,
    ].map((word) => this.#names.in(word))
    if (program === undefined) throw new Error(`${name} has no command.`)
    return [program, ...args]
  }

  /** The image's own, from the Dockerfile. */
  #entrypoint(): [string, ...string[]] {
    const dockerfile = readFileSync(path.join(cloneRoot, 'Dockerfile'), 'utf8')
    const found = /^ENTRYPOINT (?<words>\[.*\])$/m.exec(dockerfile)?.groups?.['words'] ?? '[]'
    const [program, ...args] = JSON.parse(found) as string[]
    if (program === undefined) throw new Error('The Dockerfile names no entry point.')
    return [program, ...args.map((word) => this.#names.in(word))]
  }
}

export function serviceOf(name: string): Service {
  const service = services[name]
  if (service === undefined) throw new Error(`docker-compose.yml has no service ${name}.`)
  return service
}

const DEFAULT_GRACE_MS = 10_000

/** Compose's `stop_grace_period`, in the only form the file uses. */
function graceMs({ stop_grace_period: period }: Service): number {
  return period === undefined ? DEFAULT_GRACE_MS : Number(period.replace(/s$/, '')) * 1_000
}

import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'

import type { Deathbed, Order, Report } from './doomed-worker.js'

const START_TIMEOUT_MS = 120_000
/** The SDK then runs workflows beside the rest and not in a thread, which starts much faster. */
const ENVIRONMENT = { TEMPORAL_DEBUG: '1' }

/** It lives for seconds: code made faster while it runs, and threads for that, never pay off. */
const V8_FLAGS = ['--no-opt', '--v8-pool-size=0']

type Answer = Extract<Report, string>

/** A worker in a process of its own, which ends itself at a fail point when it is told to. */
export class WorkerProcess {
  readonly #child: ChildProcess
  readonly #passed: string[] = []
  readonly #waiting = new Map<Answer, () => void>()
  /** Resolves when the process has ended, with the signal that ended it. */
  readonly ended: Promise<NodeJS.Signals | null>

  private constructor(programPath: string) {
    this.#child = fork(programPath, {
      execArgv: V8_FLAGS,
      env: ENVIRONMENT,
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    this.#child.on('message', (report: Report) => this.#hear(report))
    this.ended = once(this.#child, 'exit').then(([, signal]) => signal as NodeJS.Signals | null)
  }

  /** Starts one that works as soon as this resolves. @throws Error when it does not in time */
  static async start(
    programPath: string,
    order: Extract<Order, { start: unknown }>,
  ): Promise<WorkerProcess> {
    const worker = new WorkerProcess(programPath)
    await worker.#ask(order, 'running')
    return worker
  }

  /** Has it die there when it comes there first; null has it live on. */
  async dieAt(deathbed: Deathbed | null): Promise<void> {
    await this.#ask({ dieAt: deathbed }, 'armed')
  }

  /** The fail points that were passed until now, each as often as it was. */
  get passed(): readonly string[] {
    return this.#passed
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.ended
  }

  async #ask(order: Order, answer: Answer): Promise<void> {
    const answered = new Promise<void>((resolve, reject) => {
      this.#waiting.set(answer, resolve)
      const late = () => reject(new Error(`A worker process was not ${answer} in time.`))
      setTimeout(late, START_TIMEOUT_MS).unref()
      void this.ended.then(() => reject(new Error('A worker process ended before it worked.')))
    })
    this.#child.send(order)
    await answered
  }

  #hear(report: Report): void {
    if (typeof report === 'string') this.#waiting.get(report)?.()
    else this.#passed.push(report.passed)
  }
}

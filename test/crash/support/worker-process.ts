import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

import type { Deathbed, Order, Report } from './doomed-worker.js'

const PROGRAM = fileURLToPath(new URL('./doomed-worker.ts', import.meta.url))
const START_TIMEOUT_MS = 120_000

type Answer = Extract<Report, string>

/** A worker in a process of its own, which ends itself at a fail point when it is told to. */
export class WorkerProcess {
  readonly #child: ChildProcess
  readonly #passed: string[] = []
  readonly #waiting = new Map<Answer, () => void>()
  /** Resolves when the process has ended, with the signal that ended it. */
  readonly ended: Promise<NodeJS.Signals | null>

  private constructor() {
    this.#child = fork(PROGRAM, {
      execArgv: ['--import', 'tsx'],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    this.#child.on('message', (report: Report) => this.#hear(report))
    this.ended = once(this.#child, 'exit').then(([, signal]) => signal as NodeJS.Signals | null)
  }

  /** Starts one that works as soon as this resolves. @throws Error when it does not in time */
  static async start(order: Extract<Order, { start: unknown }>): Promise<WorkerProcess> {
    const worker = new WorkerProcess()
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

import { inject } from 'vitest'

import { eventually, startStack, type Stack } from '../../support/stack.js'
import type { Deathbed } from './doomed-worker.js'
import type { LaneParts } from './lane-parts.js'
import type { SabotageName } from './sabotage.js'
import { WorkerProcess } from './worker-process.js'

/** A minute of the channel is a second, which is what the shortest timer takes. */
const RATE = 60
const OPERATOR_LIMIT_FEN = 10_000
const DEATH_TIMEOUT_MS = 20_000

export interface LaneOptions extends LaneParts {
  readonly sabotage?: SabotageName
}

/** A walk that ended before anybody came to where the worker was to die. */
export class NotReached extends Error {
  constructor({ name, side }: Deathbed) {
    super(`Nobody came to ${name}, so nobody died ${side} it.`)
    this.name = 'NotReached'
  }
}

/**
 * A whole system with one worker at a time: whenever that dies, another one takes its place. What
 * a dead worker had claimed is free at once, instead of after a minute and a half.
 */
export class Lane {
  readonly stack: Stack
  readonly #options: LaneOptions
  #worker: Promise<WorkerProcess>
  #deaths = 0
  #isClosing = false

  private constructor(stack: Stack, options: LaneOptions) {
    this.stack = stack
    this.#options = options
    this.#worker = this.#startWorker()
  }

  static async open(options: LaneOptions): Promise<Lane> {
    const stack = await startStack({
      rate: RATE,
      withWorker: false,
      operatorLimitFen: OPERATOR_LIMIT_FEN,
      isSealing: false,
    })
    const lane = new Lane(stack, options)
    await lane.#worker
    return lane
  }

  async close(): Promise<void> {
    this.#isClosing = true
    const worker = await this.#worker
    await worker.kill()
    await this.stack.stop()
  }

  /**
   * Runs `work` with a worker that is to die there, and answers what it came to.
   * @throws NotReached when the worker never came there
   */
  async dying<T>(deathbed: Deathbed, work: () => Promise<T>): Promise<T> {
    const before = this.#deaths
    const doomed = await this.#worker
    await doomed.dieAt(deathbed)
    try {
      const result = await this.#explained(work)
      await eventually(async () => this.#deaths > before, DEATH_TIMEOUT_MS).catch(() => {
        throw new NotReached(deathbed)
      })
      return result
    } finally {
      if (this.#deaths === before) await doomed.dieAt(null)
      await this.#worker
    }
  }

  /** Runs `work` and answers which fail points were passed meanwhile. */
  async watching<T>(work: () => Promise<T>): Promise<{ result: T; passed: ReadonlySet<string> }> {
    const worker = await this.#worker
    const before = worker.passed.length
    const result = await this.#explained(work)
    return { result, passed: new Set(worker.passed.slice(before)) }
  }

  /** Whoever looks for the reason of a failure is told what the last payment came to. */
  async #explained<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      const standing = await this.stack.owner.rows({ text: STANDING }, [])
      const message = `${String(error)}\n${JSON.stringify(standing, null, 1)}`
      throw new Error(message, { cause: error })
    }
  }

  async #startWorker(): Promise<WorkerProcess> {
    const { workerEnvironment: environment, sandbox, database } = this.stack
    const { sabotage, workflowBundlePath, workerProgramPath } = this.#options
    const worker = await WorkerProcess.start(workerProgramPath, {
      start: {
        databaseUrl: database.workerUrl,
        temporalAddress: inject('temporalAddress'),
        temporalNamespace: 'default',
        taskQueue: environment['YUANLU_TASK_QUEUE'] ?? '',
        publicBaseUrl: this.stack.apiUrl,
        liveBaseUrl: 'https://127.0.0.1:1',
        sandbox: { baseUrl: sandbox.url, caPem: sandbox.caPem },
        webhookAllowedHosts: ['127.0.0.1'],
        workflowBundlePath,
      },
      masterKey: environment['YUANLU_MASTER_KEY'] ?? '',
      sabotage,
    })
    void worker.ended.then(() => this.#replace())
    return worker
  }

  #replace(): void {
    if (this.#isClosing) return
    this.#deaths += 1
    this.#worker = this.#freeClaims().then(() => this.#startWorker())
  }

  /** What was claimed stays so for 60 to 90 seconds, which nobody has to wait for here. */
  async #freeClaims(): Promise<void> {
    for (const text of FREED) await this.stack.owner.rows({ text }, [])
  }
}

const FREED = [
  `update payments set due_at = now() where due_at > now() + interval '60 seconds'
     and due_at < now() + interval '91 seconds'`,
  `update refunds set due_at = now() where due_at > now() + interval '60 seconds'
     and due_at < now() + interval '91 seconds'`,
  `update inbox set resent_at = now() - interval '3 days', resent_count = resent_count + 1
   where kind = 'external' and applied_at is null and resent_at is not null`,
  `update webhook_deliveries set next_at = now(), leased_until = null where leased_until > now()`,
] as const

const STANDING = `
  with last as (select * from payments order by created_at desc limit 1)
  select p.state, p.disposition, p.failure_code, p.due_at,
    (select json_agg(json_build_array(r.state, r.cause, r.hold_reason, r.last_code, r.due_at))
      from refunds r where r.payment_id = p.id) as refunds,
    (select json_agg(json_build_array(i.kind, i.source, i.outcome, i.resent_count)) from inbox i
      where i.kind = 'external' or i.subject_id = p.id
        or i.subject_id in (select id from refunds where payment_id = p.id)) as inbox
  from last p`

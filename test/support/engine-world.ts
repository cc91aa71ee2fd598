import { setTimeout as sleep } from 'node:timers/promises'

import { Client, Connection } from '@temporalio/client'
import { NativeConnection, Worker } from '@temporalio/worker'

import { createActivities } from '../../src/activities/index.js'
import type { PaymentRow } from '../../src/db/payments.js'
import type { RefundRow } from '../../src/db/refunds.js'
import { paymentWorkflowId, refundWorkflowId, wechatTaskQueue } from '../../src/domain/ids.js'
import type { RefundSubject } from '../../src/domain/refund.js'
import { Engine } from '../../src/engine/client.js'
import type { DatabaseUrls } from './database-template.js'
import type { History } from './history.js'
import { Seed } from './seed.js'
import { StubChannel } from './stub-channel.js'

const WAIT_POLL_MS = 20
const WAIT_TIMEOUT_MS = 60_000
/** A minute of the channel is then less than the shortest wait, which is a second. */
const FAST_TIME_SCALE = 1 / 600

export interface WorldOptions {
  readonly temporalAddress: string
  readonly taskQueue: string
  readonly workflowBundlePath: string
  readonly urls: DatabaseUrls
}

/** Real workflows and activities on a real Temporal and a real database; the channel is a stub. */
export class EngineWorld {
  readonly seed: Seed
  readonly client: Client
  readonly engine: Engine
  readonly channel = new StubChannel()
  /** What the activities' waits are multiplied by. */
  timeScale = FAST_TIME_SCALE
  readonly #stop: (() => Promise<void>)[] = []

  private constructor(seed: Seed, client: Client, taskQueue: string) {
    this.seed = seed
    this.client = client
    this.engine = new Engine(client, taskQueue)
  }

  static async open(options: WorldOptions): Promise<EngineWorld> {
    const { temporalAddress: address, taskQueue } = options
    const seed = await Seed.create(options.urls, { operatorLimitFen: 10_000 })
    const connection = await Connection.connect({ address })
    const world = new EngineWorld(seed, new Client({ connection, identity: 'engine' }), taskQueue)
    const native = await NativeConnection.connect({ address })
    const workers = await world.#workers(native, options)
    const running = Promise.all(workers.map((worker) => worker.run()))
    world.#stop.push(async () => {
      for (const worker of workers) worker.shutdown()
      await running
      await native.close()
      await connection.close()
      await seed.close()
    })
    return world
  }

  async close(): Promise<void> {
    for (const stop of this.#stop) await stop()
  }

  #workers(connection: NativeConnection, options: WorldOptions): Promise<[Worker, Worker]> {
    const { seed, channel } = this
    const activities = createActivities({
      database: seed.worker,
      envelope: seed.envelope,
      clock: seed.clock,
      notifyBaseUrl: 'https://pay.example.com',
      openAccount: async () => ({
        account: { ...seed.account, timeScale: this.timeScale },
        channel,
      }),
    })
    // The name of the machine has no place in a recorded history.
    const shared = { connection, activities, identity: 'worker' }
    const { taskQueue, workflowBundlePath: codePath } = options
    return Promise.all([
      Worker.create({ ...shared, taskQueue, workflowBundle: { codePath } }),
      Worker.create({ ...shared, taskQueue: wechatTaskQueue(taskQueue) }),
    ])
  }

  /** Waits for a workflow to end and answers the history of its last run. */
  async historyOf(workflowId: string): Promise<History> {
    const handle = this.client.workflow.getHandle(workflowId)
    await handle.result()
    return handle.fetchHistory()
  }

  /** Waits until a running workflow has at least this many events and no task under way. */
  async hasEvents(workflowId: string, count: number): Promise<void> {
    const handle = this.client.workflow.getHandle(workflowId)
    await this.until(async () => (await handle.describe()).historyLength >= count)
  }

  async until(isTrue: () => Promise<boolean>): Promise<void> {
    const deadlineMs = Date.now() + WAIT_TIMEOUT_MS
    while (!(await isTrue())) {
      if (Date.now() > deadlineMs) throw new Error('What was waited for did not come.')
      await sleep(WAIT_POLL_MS)
    }
  }
}

export const workflowIdOfPayment = (payment: PaymentRow): string =>
  paymentWorkflowId(payment.merchantId, payment.outTradeNo)

export const workflowIdOfRefund = (refund: RefundRow): string =>
  refundWorkflowId(refund.merchantId, refund.outRefundNo)

export const subjectOf = (refund: RefundRow, payment: PaymentRow): RefundSubject => ({
  ...refund,
  outTradeNo: payment.outTradeNo,
})

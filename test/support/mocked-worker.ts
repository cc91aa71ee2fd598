import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'

import type { WorkflowHandle } from '@temporalio/client'
import { ApplicationFailure } from '@temporalio/common'
import type { TestWorkflowEnvironment } from '@temporalio/testing'
import { Worker } from '@temporalio/worker'
import { afterAll, beforeAll, inject } from 'vitest'

import type { Activities } from '../../src/activities/index.js'
import { wechatTaskQueue } from '../../src/domain/ids.js'
import { Engine } from '../../src/engine/client.js'
import { createTimeSkippingEnvironment } from './temporal.js'

/** What a test lets activities do; an argument list may be shorter than the real one. */
export type Mocks = {
  readonly [Name in keyof Activities]?: (
    ...args: Parameters<Activities[Name]>
  ) => Awaited<ReturnType<Activities[Name]>> | ReturnType<Activities[Name]>
}

const NAMES = [
  'placePayment',
  'settlePayment',
  'loadPayment',
  'queryThenClose',
  'askPayment',
  'adoptPayment',
  'loadRefund',
  'decideRefund',
  'approveByOperator',
  'expireRefund',
  'settleRefund',
  'refundAtChannel',
  'confirmRefund',
  'resolveRefund',
] as const satisfies (keyof Activities)[]

export interface Rig {
  readonly engine: Engine
  /** Each attempt as `local settlePayment("id")`, or `channel ...` on the channel's own queue. */
  readonly calls: string[]
  /** Waits, in real time, until an activity was tried this many times. */
  tried(name: keyof Activities, times?: number): Promise<void>
}

interface Stage {
  readonly mocks: Mocks
  readonly calls: string[]
}

const TRIED_TIMEOUT_MS = 60_000

/** A Temporal in which waiting takes no time, with workers whose activities a test makes up. */
export interface MockedTemporal {
  readonly client: TestWorkflowEnvironment['client']
  readonly taskQueue: string
  /** Lets the activities of one payment or refund be the given mocks while `run` runs. */
  readonly withMocks: (
    subjectId: string,
    mocks: Mocks,
    run: (rig: Rig) => Promise<void>,
  ) => Promise<void>
}

/** Gives a test file one environment with skipped time and one pair of workers. */
export function useMockedTemporal(): MockedTemporal {
  const taskQueue = `mocked-${randomBytes(4).toString('hex')}`
  const stages = new Map<string, Stage>()
  let environment: TestWorkflowEnvironment | undefined
  let stop: () => Promise<void> = () => Promise.resolve()
  beforeAll(async () => {
    environment = await createTimeSkippingEnvironment()
    const workers = await startWorkers(environment, taskQueue, stages)
    const running = Promise.all(workers.map((worker) => worker.run()))
    stop = async () => {
      for (const worker of workers) worker.shutdown()
      await running
      await environment?.teardown()
    }
  })
  afterAll(() => stop())
  const client = () => {
    if (environment === undefined) throw new Error('Temporal is there when the tests begin.')
    return environment.client
  }
  return {
    taskQueue,
    get client() {
      return client()
    },
    async withMocks(subjectId, mocks, run) {
      const calls: string[] = []
      stages.set(subjectId, { mocks, calls })
      const tried: Rig['tried'] = (name, times = 1) => waitUntilTried(calls, name, times)
      await run({ engine: new Engine(client(), taskQueue), calls, tried })
      stages.delete(subjectId)
    },
  }
}

function startWorkers(
  { nativeConnection: connection }: TestWorkflowEnvironment,
  taskQueue: string,
  stages: ReadonlyMap<string, Stage>,
): Promise<[Worker, Worker]> {
  return Promise.all([
    Worker.create({
      connection,
      taskQueue,
      activities: recorded('local', stages),
      workflowBundle: { codePath: inject('workflowBundlePath') },
    }),
    Worker.create({
      connection,
      taskQueue: wechatTaskQueue(taskQueue),
      activities: recorded('channel', stages),
    }),
  ])
}

async function waitUntilTried(
  calls: readonly string[],
  name: keyof Activities,
  times: number,
): Promise<void> {
  const deadlineMs = Date.now() + TRIED_TIMEOUT_MS
  while (calls.filter((call) => call.includes(` ${name}(`)).length < times) {
    if (Date.now() > deadlineMs) throw new Error(`${name} was not tried: ${calls.join(', ')}`)
    await sleep(10)
  }
}

/** Every activity, looked up by the id of the payment or refund that is its first argument. */
function recorded(where: 'local' | 'channel', stages: ReadonlyMap<string, Stage>) {
  const record =
    (name: keyof Activities) =>
    async (subjectId: string, ...rest: unknown[]) => {
      const stage = stages.get(subjectId)
      const words = [subjectId, ...rest].map((argument) => JSON.stringify(argument))
      stage?.calls.push(`${where} ${name}(${words.join(', ')})`)
      const mock = stage?.mocks[name] as ((...given: unknown[]) => unknown) | undefined
      // An uncaught failure ends the workflow, so that a surprise shows itself at once.
      if (mock === undefined) throw ApplicationFailure.nonRetryable(`${name} was not expected.`)
      return mock(subjectId, ...rest)
    }
  return Object.fromEntries(NAMES.map((name) => [name, record(name)]))
}

/** How long a workflow that ended took, in its server's time. */
export async function elapsedMsOf(handle: WorkflowHandle): Promise<number> {
  const { startTime, closeTime } = await handle.describe()
  return (closeTime?.getTime() ?? 0) - startTime.getTime()
}

/** Answers one value after another; the last one repeats. */
export function inTurn<Value>(...values: (Value | Error)[]): () => Value {
  let next = 0
  return () => {
    const value = values[Math.min(next, values.length - 1)]
    next += 1
    if (value instanceof Error) throw value
    return value as Value
  }
}

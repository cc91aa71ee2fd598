import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'

import { ApplicationFailure } from '@temporalio/common'
import type { TestWorkflowEnvironment } from '@temporalio/testing'
import { Worker } from '@temporalio/worker'
import { inject } from 'vitest'

import type { Activities } from '../../src/activities/index.js'
import { wechatTaskQueue } from '../../src/domain/ids.js'
import { Engine } from '../../src/engine/client.js'

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
  'loadRefund',
  'decideRefund',
  'approveByOperator',
  'expireRefund',
  'settleRefund',
  'refundAtChannel',
  'confirmRefund',
] as const satisfies (keyof Activities)[]

export interface Rig {
  readonly engine: Engine
  readonly taskQueue: string
  /** Each attempt as `local settlePayment("id")`, or `channel ...` on the queue of channel calls. */
  readonly calls: string[]
  /** Waits, in real time, until an activity was tried this many times. */
  tried(name: keyof Activities, times?: number): Promise<void>
}

const TRIED_TIMEOUT_MS = 10_000

/** Runs workflows on workers of their own whose activities are the given mocks. */
export async function withMocks(
  environment: TestWorkflowEnvironment,
  mocks: Mocks,
  run: (rig: Rig) => Promise<void>,
): Promise<void> {
  const taskQueue = `mocked-${randomBytes(4).toString('hex')}`
  const calls: string[] = []
  const connection = environment.nativeConnection
  const workers = await Promise.all([
    Worker.create({
      connection,
      taskQueue,
      activities: recorded('local', mocks, calls),
      workflowBundle: { codePath: inject('workflowBundlePath') },
    }),
    Worker.create({
      connection,
      taskQueue: wechatTaskQueue(taskQueue),
      activities: recorded('channel', mocks, calls),
    }),
  ])
  const running = Promise.all(workers.map((worker) => worker.run()))
  const engine = new Engine(environment.client, taskQueue)
  const tried: Rig['tried'] = async (name, times = 1) => {
    const deadlineMs = Date.now() + TRIED_TIMEOUT_MS
    while (calls.filter((call) => call.includes(` ${name}(`)).length < times) {
      if (Date.now() > deadlineMs) throw new Error(`${name} was not tried: ${calls.join(', ')}`)
      await sleep(10)
    }
  }
  try {
    await run({ engine, taskQueue, calls, tried })
  } finally {
    for (const worker of workers) worker.shutdown()
    await running
  }
}

function recorded(where: 'local' | 'channel', mocks: Mocks, calls: string[]) {
  const record = (name: keyof Activities) => async (...args: unknown[]) => {
    calls.push(`${where} ${name}(${args.map((arg) => JSON.stringify(arg)).join(', ')})`)
    const mock = mocks[name] as ((...given: unknown[]) => unknown) | undefined
    // An uncaught failure ends the workflow, so that a surprise shows itself at once.
    if (mock === undefined) throw ApplicationFailure.nonRetryable(`${name} was not expected.`)
    return mock(...args)
  }
  return Object.fromEntries(NAMES.map((name) => [name, record(name)]))
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

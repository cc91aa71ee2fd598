import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { Database } from '../../src/db/pool.js'
import { Engine } from '../../src/engine/client.js'
import type { Rebuilt } from '../../src/engine/rebuild.js'
import { createSweep, workflowIdOf } from '../../src/engine/sweep.js'
import { PAYMENT_WORKFLOW } from '../../src/workflows/messages.js'
import { OwnTemporal } from '../support/own-temporal.js'
import { eventually, MERCHANT_ID, startStack, type Stack } from '../support/stack.js'
import { yuanlu, type Ended } from '../support/yuanlu.js'
import { BUSINESS_RATE, OpenBusiness } from './support/open-business.js'

const OPEN_PAYMENTS = 4
const OPEN_REFUNDS = 6

let temporal: OwnTemporal
let stack: Stack
let business: OpenBusiness
let worker: Database

beforeAll(async () => {
  temporal = await OwnTemporal.start('rebuild-temporal')
  stack = await startStack({ rate: BUSINESS_RATE, temporalAddress: temporal.address })
  const { workerUrl: url } = stack.database
  worker = new Database({ url, connectionsMax: 1, applicationName: 'test-sweep' })
  business = await OpenBusiness.begin(stack)
}, 120_000)

afterAll(async () => {
  await worker.close()
  await stack.stop()
  await temporal.stop()
})

const rebuild = (...args: string[]): Promise<Ended> =>
  yuanlu(['rebuild', ...args], stack.workerEnvironment)

/** One row a second is asked about, so that it dies with most of them to come. */
async function rebuildKilledOnItsWay(): Promise<Ended['status']> {
  const killing = new AbortController()
  const ended = yuanlu(['rebuild', '--rate', '1'], stack.workerEnvironment, killing.signal)
  const ids = await business.workflowIds()
  await eventually(async () => {
    const described = ids.map((id) => stack.temporal.workflow.getHandle(id).describe())
    return (await Promise.allSettled(described)).some(({ status }) => status === 'fulfilled')
  })
  killing.abort()
  return (await ended).status
}

async function historyLengths(): Promise<Record<string, number>> {
  const lengths: Record<string, number> = {}
  for (const id of await business.workflowIds()) {
    lengths[id] = (await stack.temporal.workflow.getHandle(id).describe()).historyLength
  }
  return lengths
}

describe('yuanlu rebuild', () => {
  it('changes nothing on a healthy system, and says so', async () => {
    const before = await historyLengths()
    const { status, stdout } = await rebuild()
    expect(stdout).toBe(
      `Payments not over: ${OPEN_PAYMENTS}, refunds not over: ${OPEN_REFUNDS}.\n` +
        `Their workflows that run: ${OPEN_PAYMENTS + OPEN_REFUNDS}. Started: 0.\n` +
        'Nothing was missing; nothing was changed.\n',
    )
    expect(status).toBe(0)
    expect(await historyLengths()).toEqual(before)
  }, 60_000)

  it('names a workflow that has no row, and leaves it alone', async () => {
    const workflowId = `payment:${MERCHANT_ID}:NOBODY-0001`
    const handle = await stack.temporal.workflow.start(PAYMENT_WORKFLOW, {
      workflowId,
      taskQueue: stack.workerEnvironment['YUANLU_TASK_QUEUE'] ?? '',
      args: [{ paymentId: '019c0000-0000-7000-8000-000000000000', closesInMs: 0, resume: true }],
    })
    const { status, stdout } = await rebuild('--json', '-')
    expect(JSON.parse(stdout)).toMatchObject({ withoutRow: [workflowId], failed: [] })
    expect(status).toBe(1)
    expect((await handle.describe()).status.name).toBe('RUNNING')
    await handle.terminate()
  }, 60_000)

  it('is not needed for a workflow that somebody ended: the sweep starts it', async () => {
    const before = await historyLengths()
    const [ended = ''] = Object.keys(before)
    await stack.temporal.workflow.getHandle(ended).terminate('a test')
    const startedIds: string[] = []
    const errors: unknown[] = []
    const sweep = createSweep({
      database: worker,
      engine: new Engine(stack.temporal, stack.workerEnvironment['YUANLU_TASK_QUEUE'] ?? ''),
      // Late enough for every row to be overdue.
      clock: { now: () => new Date(Date.now() + 60 * 60_000) },
      onStarted: (row) => startedIds.push(workflowIdOf(row)),
      onError: (error) => errors.push(error),
    })
    expect(await sweep()).toBeGreaterThan(OPEN_PAYMENTS)
    expect([startedIds, errors]).toEqual([[ended], []])
    const { [ended]: _, ...others } = await historyLengths()
    expect(before).toMatchObject(others)
    expect((await stack.temporal.workflow.getHandle(ended).describe()).status.name).toBe('RUNNING')
  })

  it('brings everything to its right end after Temporal lost all it knew', async () => {
    await temporal.stop()
    await business.payMeanwhile()
    await temporal.startEmpty()
    const dry = await rebuild('--dry-run', '--json', '-')
    const missing = JSON.parse(dry.stdout) as Rebuilt
    expect(missing).toMatchObject({ isDryRun: true, failed: [], withoutRow: [] })
    expect(missing.refunds.started).toBeGreaterThan(0)
    expect(await rebuildKilledOnItsWay()).toBe('ABORT_ERR')
    const { status, stdout } = await rebuild('--json', '-')
    const { refunds } = JSON.parse(stdout) as Rebuilt
    // The loops of a worker that lived on may have been faster with some.
    expect(refunds.running + refunds.started).toBe(OPEN_REFUNDS)
    expect(status).toBe(0)
    expect((await rebuild()).stdout).toContain('Nothing was missing; nothing was changed.')
    await business.goOn()
    expect(await business.differences()).toEqual([])
  }, 240_000)
})

describe('yuanlu rebuild, used wrongly', () => {
  it.each(['0', '1.5', 'fast'])('a rate of %s: is refused', async (rate) => {
    const { status, stderr } = await rebuild('--rate', rate)
    expect(stderr).toContain('A rate is a whole number from 1 to 9999.')
    expect(status).toBe(2)
  })

  it('a Temporal that does not answer: is said in one sentence', async () => {
    const env = { ...stack.workerEnvironment, TEMPORAL_ADDRESS: '127.0.0.1:1' }
    const { status, stderr } = await yuanlu(['rebuild'], env)
    expect(stderr).toBe('Temporal does not answer at 127.0.0.1:1.\n')
    expect(status).toBe(1)
  })
})

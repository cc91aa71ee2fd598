import { fileURLToPath } from 'node:url'

import { Client, Connection } from '@temporalio/client'
import { NativeConnection, Worker } from '@temporalio/worker'
import { describe, expect, onTestFinished, test } from 'vitest'

import { SEARCH_ATTRIBUTES as REGISTERED } from '../../src/cli/local/search-attributes.js'
import { SEARCH_ATTRIBUTES } from '../../src/workflows/messages.js'
import { createTimeSkippingEnvironment, useTestTemporal } from '../support/temporal.js'
import { markDueAt, waitForDays } from './sleeping-workflow.js'

const workflowsPath = fileURLToPath(new URL('./sleeping-workflow.ts', import.meta.url))
const temporal = useTestTemporal(import.meta.url)
const { taskQueue } = temporal

describe('Temporal development server', () => {
  test('its search attributes: are those that the workflows set, with their types', () => {
    const set = Object.values(SEARCH_ATTRIBUTES).map(({ name, type }) => [name, type])
    const registered = Object.entries(REGISTERED).map(([name, kind]) => [name, kind.toUpperCase()])
    expect(Object.fromEntries(registered)).toEqual(Object.fromEntries(set))
  })

  test('a workflow: runs, and its search attributes are known', async () => {
    const connection = await Connection.connect({ address: temporal.address })
    const native = await NativeConnection.connect({ address: temporal.address })
    onTestFinished(async () => {
      await Promise.all([connection.close(), native.close()])
    })
    const client = new Client({ connection })
    const worker = await Worker.create({ connection: native, taskQueue, workflowsPath })
    await worker.runUntil(
      client.workflow.execute(markDueAt, { taskQueue, workflowId: taskQueue, args: [0] }),
    )
    const described = await client.workflow.getHandle(taskQueue).describe()
    expect(described.searchAttributes).toMatchObject({
      YuanluDueAt: [new Date(0)],
      YuanluAttention: ['none'],
    })
  })
})

describe('time-skipping server', () => {
  test('a wait of ninety days: is over at once', async () => {
    const environment = await createTimeSkippingEnvironment()
    onTestFinished(() => environment.teardown())
    // Real days would be cut off by the limit of the test.
    const connection = environment.nativeConnection
    const worker = await Worker.create({ connection, taskQueue, workflowsPath })
    const waitedMs = await worker.runUntil(
      environment.client.workflow.execute(waitForDays, {
        taskQueue,
        workflowId: 'ninety-days',
        args: [90],
      }),
    )
    expect(waitedMs).toBeGreaterThanOrEqual(90 * 24 * 3_600_000)
  })

  test('search attributes: are known as on the development server', async () => {
    const environment = await createTimeSkippingEnvironment()
    onTestFinished(() => environment.teardown())
    const connection = environment.nativeConnection
    const worker = await Worker.create({ connection, taskQueue, workflowsPath })
    const handle = await environment.client.workflow.start(markDueAt, {
      taskQueue,
      workflowId: 'attributes',
      args: [0],
    })
    await worker.runUntil(handle.result())
    expect((await handle.describe()).status.name).toBe('COMPLETED')
  })
})

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { createTestDatabase, type TestDatabase } from '../support/database.js'
import { EngineWorld } from '../support/engine-world.js'
import { countActions, countEvents, listEvents, textOf } from '../support/history.js'
import { useTestTemporal } from '../support/temporal.js'
import { PAYMENT_PATHS, REFUND_PATHS } from '../support/workflow-paths.js'

const temporal = useTestTemporal(import.meta.url)
let database: TestDatabase
let world: EngineWorld

beforeAll(async () => {
  database = await createTestDatabase()
  world = await EngineWorld.open({
    temporalAddress: temporal.address,
    taskQueue: temporal.taskQueue,
    workflowBundlePath: temporal.workflowBundle.codePath,
    urls: database,
  })
})

afterAll(async () => {
  await world.close()
  await database.drop()
})

describe('the cost in Temporal', () => {
  test.each([...PAYMENT_PATHS, ...REFUND_PATHS])(
    '$name: $events events and $actions actions, and nothing secret',
    async ({ events, actions, walk }) => {
      const history = await world.historyOf(await walk(world))
      const counted = { events: countEvents(history), actions: countActions(history) }
      expect(counted, listEvents(history)).toEqual({ events, actions })
      const text = textOf(history)
      for (const secret of ['openid-of-nobody', 'wx-prepay', world.seed.account.notifyToken]) {
        expect(text).not.toContain(secret)
      }
    },
  )
})

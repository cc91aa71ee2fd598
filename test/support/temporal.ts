import { randomBytes } from 'node:crypto'
import path from 'node:path'

import { TestWorkflowEnvironment } from '@temporalio/testing'
import { DefaultLogger, Runtime } from '@temporalio/worker'
import { inject } from 'vitest'

import { SEARCH_ATTRIBUTES } from '../../src/cli/local/search-attributes.js'

// The SDK has one runtime in a process; in a test it speaks only of what went wrong.
Runtime.install({ logger: new DefaultLogger('WARN'), shutdownSignals: [] })

/** What a test needs to run a worker against the run's shared development server. */
export interface TestTemporal {
  readonly address: string
  readonly namespace: string
  /** Of this file alone, so that two files never take each other's tasks. */
  readonly taskQueue: string
  /** Goes into the worker's options as it is: the bundle is built once for the whole run. */
  readonly workflowBundle: { readonly codePath: string }
}

/** Answers the shared Temporal and a task queue of the calling file's own. */
export function useTestTemporal(fileUrl: string): TestTemporal {
  const name = path.basename(fileUrl).replace(/\.test\.ts$/, '')
  return {
    address: inject('temporalAddress'),
    namespace: 'default',
    taskQueue: `${name}-${randomBytes(4).toString('hex')}`,
    workflowBundle: { codePath: inject('workflowBundlePath') },
  }
}

/**
 * Starts a Temporal of the caller's own in which waiting takes no time. It knows our search
 * attributes; `teardown()` is the caller's to call.
 */
export async function createTimeSkippingEnvironment(): Promise<TestWorkflowEnvironment> {
  const environment = await TestWorkflowEnvironment.createTimeSkipping({
    server: { executable: { type: 'existing-path', path: inject('timeSkippingServerPath') } },
  })
  try {
    await registerSearchAttributes(environment)
    return environment
  } catch (error) {
    await environment.teardown()
    throw error
  }
}

/** The kinds by the numbers of `IndexedValueType` in Temporal's API. */
const KIND_NUMBER = { Keyword: 2, Int: 3, Datetime: 6 } as const

async function registerSearchAttributes(environment: TestWorkflowEnvironment): Promise<void> {
  const kinds = Object.entries(SEARCH_ATTRIBUTES)
  await environment.connection.operatorService.addSearchAttributes({
    namespace: environment.namespace ?? 'default',
    searchAttributes: Object.fromEntries(kinds.map(([name, kind]) => [name, KIND_NUMBER[kind]])),
  })
}

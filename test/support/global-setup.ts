import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import path from 'node:path'

import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker'
import type { TestProject } from 'vitest/node'

import { cloneRoot } from '../../src/cli/local/clone.js'
import { startPostgres, type RunningPostgres } from '../../src/cli/local/postgres.js'
import { startDevServer, type RunningDevServer } from '../../src/cli/local/temporal.js'
import { findTool } from '../../src/cli/local/tools.js'
import { prepareTemplate, type DatabaseServer } from './database-template.js'
import {
  makeRunFolder,
  makeServerFolder,
  removeOrphanedRuns,
  removeRunFolder,
} from './run-folder.js'

declare module 'vitest' {
  interface ProvidedContext {
    /** Holds all that this run starts; see `makeTestFolder`. */
    runFolder: string
    databaseServer: DatabaseServer
    temporalAddress: string
    /** The bundled workflows as a file. */
    workflowBundlePath: string
    timeSkippingServerPath: string
  }
}

/**
 * Starts the real servers that all test files share, once: PostgreSQL with a migrated template
 * database, Temporal's development server in memory, and the bundle of the workflows.
 */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  await removeOrphanedRuns()
  const runFolder = await makeRunFolder()
  try {
    const [postgres, temporal, workflowBundlePath] = await Promise.all([
      startDatabase(runFolder, project),
      startTemporal(runFolder),
      bundleWorkflows(runFolder),
    ])
    project.provide('runFolder', runFolder)
    project.provide('temporalAddress', temporal.address)
    project.provide('workflowBundlePath', workflowBundlePath)
    project.provide('timeSkippingServerPath', findTool('timeSkippingServer'))
    return async () => {
      await Promise.all([postgres.stop(), temporal.stop()])
      await removeRunFolder(runFolder)
    }
  } catch (error) {
    await removeRunFolder(runFolder)
    throw error
  }
}

async function startDatabase(runFolder: string, project: TestProject): Promise<RunningPostgres> {
  const dataDir = path.join(runFolder, 'postgres')
  const log = (line: string): void => console.log(line)
  const postgres = await startPostgres({ dataDir, fsync: false, persistent: false, log })
  project.provide('databaseServer', await prepareTemplate(postgres.superuserUrl))
  return postgres
}

async function startTemporal(runFolder: string): Promise<RunningDevServer> {
  const stateDir = await makeServerFolder(runFolder, 'temporal')
  return startDevServer({ cliPath: findTool('temporalCli'), stateDir, uiPort: 'headless' })
}

/** Building the bundle is a test in itself: a Node built-in among the workflows breaks it. */
async function bundleWorkflows(runFolder: string): Promise<string> {
  const workflowsPath = path.join(cloneRoot, 'src', 'workflows', 'index.ts')
  const bundlePath = path.join(runFolder, 'workflow-bundle.js')
  if (!existsSync(workflowsPath)) return bundlePath
  const { code } = await bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('WARN') })
  await writeFile(bundlePath, code)
  return bundlePath
}

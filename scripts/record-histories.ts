import { mkdir, mkdtemp, chmod, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { bundleWorkflowCode, DefaultLogger, Runtime } from '@temporalio/worker'

import { cloneRoot } from '../src/cli/local/clone.js'
import { startPostgres } from '../src/cli/local/postgres.js'
import { startDevServer } from '../src/cli/local/temporal.js'
import { findTool } from '../src/cli/local/tools.js'
import {
  databaseUrls,
  prepareTemplate,
  TEMPLATE_DATABASE,
} from '../test/support/database-template.js'
import { EngineWorld } from '../test/support/engine-world.js'
import { historyToJson } from '../test/support/history-json.js'
import { countEvents, type History } from '../test/support/history.js'
import { RARER_PATHS } from '../test/support/rarer-paths.js'
import { PAYMENT_PATHS, REFUND_PATHS } from '../test/support/workflow-paths.js'

/**
 * Records one history of every path through a workflow, named by the version that made it, from a
 * real Temporal and a real database. Run once for a version, before it is released; what older
 * versions recorded stays, because workflows that they began are still running.
 */
async function main(): Promise<void> {
  Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] })
  const folder = await mkdtemp(path.join(tmpdir(), 'yuanlu-record-'))
  await chmod(folder, 0o711)
  try {
    await record(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function record(folder: string): Promise<void> {
  const stateDir = path.join(folder, 'temporal')
  await mkdir(stateDir)
  const workflowBundlePath = path.join(folder, 'workflow-bundle.js')
  await writeFile(workflowBundlePath, await bundle())
  const [temporal, postgres] = await Promise.all([
    startDevServer({ cliPath: findTool('temporalCli'), stateDir, uiPort: 'headless' }),
    startPostgres({
      dataDir: path.join(folder, 'postgres'),
      fsync: false,
      persistent: false,
      log: () => undefined,
    }),
  ])
  try {
    const server = await prepareTemplate(postgres.superuserUrl)
    const world = await EngineWorld.open({
      temporalAddress: temporal.address,
      taskQueue: 'yuanlu',
      workflowBundlePath,
      urls: databaseUrls(server, TEMPLATE_DATABASE),
    })
    await walkAll(world)
    await world.close()
  } finally {
    await Promise.all([temporal.stop(), postgres.stop()])
  }
}

async function bundle(): Promise<string> {
  const workflowsPath = path.join(cloneRoot, 'src', 'workflows', 'index.ts')
  return (await bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('WARN') })).code
}

async function walkAll(world: EngineWorld): Promise<void> {
  const manifest = await readFile(path.join(cloneRoot, 'package.json'), 'utf8')
  const { version } = JSON.parse(manifest) as { version: string }
  for (const { name, walk } of [...PAYMENT_PATHS, ...REFUND_PATHS, ...RARER_PATHS]) {
    const history = await world.historyOf(await walk(world))
    const file = path.join(cloneRoot, 'test', 'replay', `${version}-${name}.json`)
    await writeFile(file, `${readable(history)}\n`)
    console.log(`${countEvents(history)} events: ${path.relative(cloneRoot, file)}`)
  }
}

/** A history as text, without the call stacks of failures, which name folders of this machine. */
function readable(history: History): string {
  return JSON.stringify(
    historyToJson(history),
    (key, value: unknown) => (key === 'stackTrace' ? '' : value),
    2,
  )
}

await main()

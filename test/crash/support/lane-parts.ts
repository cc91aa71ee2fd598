import { execFile } from 'node:child_process'
import { symlink, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker'

import { cloneRoot } from '../../../src/cli/local/clone.js'
import { makeTestFolder } from '../../support/test-folder.js'

/** What every lane of a matrix starts its workers from; built once. */
export interface LaneParts {
  /** The workflows, bundled with what tells of their fail points. */
  readonly workflowBundlePath: string
  /** The worker that dies, compiled. */
  readonly workerProgramPath: string
}

const PROGRAM = path.join('test', 'crash', 'support', 'doomed-worker')
/** A bundle has to have a source map; nobody reads it here, and it is most of what is loaded. */
const MAP = '//# sourceMappingURL=data:'
const NO_MAP = JSON.stringify({ version: 3, sources: [], names: [], mappings: '' })
const COMPILER = path.join(cloneRoot, 'node_modules', 'tsc7', 'bin', 'tsc')

export async function buildLaneParts(): Promise<LaneParts> {
  const folder = await makeTestFolder('crash')
  const [workflowBundlePath, workerProgramPath] = await Promise.all([
    bundleWatchedWorkflows(folder),
    compileDoomedWorker(folder),
  ])
  return { workflowBundlePath, workerProgramPath }
}

async function bundleWatchedWorkflows(folder: string): Promise<string> {
  const { code } = await bundleWorkflowCode({
    workflowsPath: path.join(cloneRoot, 'src', 'workflows', 'index.ts'),
    workflowInterceptorModules: [fileURLToPath(new URL('./interceptors.ts', import.meta.url))],
    logger: new DefaultLogger('WARN'),
  })
  const file = path.join(folder, 'watched-workflows.cjs')
  const noMap = Buffer.from(NO_MAP).toString('base64')
  const map = `${MAP}application/json;base64,${noMap}`
  await writeFile(file, code.slice(0, code.lastIndexOf(MAP)) + map)
  return file
}

/** It starts once for every death, and is not transpiled again for each. */
async function compileDoomedWorker(folder: string): Promise<string> {
  const modules = path.join(cloneRoot, 'node_modules')
  const settings = {
    extends: path.join(cloneRoot, 'tsconfig.json'),
    compilerOptions: {
      noEmit: false,
      noCheck: true,
      rootDir: cloneRoot,
      outDir: folder,
      typeRoots: [path.join(modules, '@types')],
    },
    include: [],
    files: [path.join(cloneRoot, `${PROGRAM}.ts`)],
  }
  await writeFile(path.join(folder, 'tsconfig.json'), JSON.stringify(settings))
  await writeFile(path.join(folder, 'package.json'), '{ "type": "module" }')
  await symlink(modules, path.join(folder, 'node_modules'))
  await promisify(execFile)(process.execPath, [COMPILER, '-p', folder])
  return path.join(folder, `${PROGRAM}.js`)
}

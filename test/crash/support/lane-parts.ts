import { symlink, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker'
import { build, type Plugin } from 'esbuild'

import { cloneRoot } from '../../../src/cli/local/clone.js'
import { makeTestFolder } from '../../support/test-folder.js'

/** What every lane of a matrix starts its workers from; built once. */
export interface LaneParts {
  /** The workflows, bundled with what tells of their fail points. */
  readonly workflowBundlePath: string
  /** The worker that dies, in one file. */
  readonly workerProgramPath: string
}

const PROGRAM = fileURLToPath(new URL('./doomed-worker.ts', import.meta.url))
/** A bundle has to have a source map; nobody reads it here, and it is most of what is loaded. */
const MAP = '//# sourceMappingURL=data:'
const NO_MAP = JSON.stringify({ version: 3, sources: [], names: [], mappings: '' })
/** Stays outside of the one file: native code, what reads files beside it, what is optional. */
const LEFT_OUT = ['@temporalio/core-bridge', 'source-map', 'pino', 'pg-native']
/** The worker is given its workflows bundled, and does without what would bundle them. */
const NOTHING = 'exports.defaultWorkflowInterceptorModules = []'
const NO_BUNDLER: Plugin = {
  name: 'no-bundler',
  setup(bundle) {
    bundle.onResolve({ filter: /^\.\.?\/(workflow\/)?bundler$/ }, () => ({
      path: 'bundler',
      namespace: 'nothing',
    }))
    bundle.onLoad({ filter: /^/, namespace: 'nothing' }, () => ({ contents: NOTHING }))
  },
}

export async function buildLaneParts(): Promise<LaneParts> {
  const folder = await makeTestFolder('crash')
  const [workflowBundlePath, workerProgramPath] = await Promise.all([
    bundleWatchedWorkflows(folder),
    bundleDoomedWorker(folder),
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

/** It starts once for every death, and half of what that takes was to find and read its modules. */
async function bundleDoomedWorker(folder: string): Promise<string> {
  const file = path.join(folder, 'doomed-worker.cjs')
  await symlink(path.join(cloneRoot, 'node_modules'), path.join(folder, 'node_modules'))
  await build({
    entryPoints: [PROGRAM],
    outfile: file,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: 'none',
    logLevel: 'error',
    external: LEFT_OUT,
    define: { 'import.meta.url': JSON.stringify(pathToFileURL(file)) },
    plugins: [NO_BUNDLER],
  })
  return file
}

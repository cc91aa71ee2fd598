import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker'

import { cloneRoot } from '../../../src/cli/local/clone.js'
import { makeTestFolder } from '../../support/test-folder.js'

/** Bundles the workflows beside what tells of their fail points. @returns the bundle's file */
export async function bundleWatchedWorkflows(): Promise<string> {
  const { code } = await bundleWorkflowCode({
    workflowsPath: path.join(cloneRoot, 'src', 'workflows', 'index.ts'),
    workflowInterceptorModules: [fileURLToPath(new URL('./interceptors.ts', import.meta.url))],
    logger: new DefaultLogger('WARN'),
  })
  const file = path.join(await makeTestFolder('crash'), 'watched-workflows.js')
  await writeFile(file, code)
  return file
}

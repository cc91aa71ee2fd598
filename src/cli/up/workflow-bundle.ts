import { createHash } from 'node:crypto'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { cloneRoot } from '../local/clone.js'
import { readIfThere } from './stored-secret.js'

/** What the bundle is made of: the workflows and what they import values from. */
const SOURCES = ['src/workflows', 'src/domain', 'package-lock.json']

/**
 * Bundles the workflows into the file while the servers are still starting, so that no worker has
 * to. What was bundled before is used again as long as its sources are the same.
 */
export async function bundleWorkflows(file: string): Promise<void> {
  const stampFile = `${file}.stamp`
  const stamp = await stampOfSources()
  if ((await readIfThere(stampFile)) === stamp && (await readIfThere(file))) return
  const { bundleWorkflowCode, DefaultLogger } = await import('@temporalio/worker')
  const workflowsPath = path.join(cloneRoot, 'src', 'workflows', 'index.ts')
  const { code } = await bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('ERROR') })
  await writeFile(file, code)
  await writeFile(stampFile, stamp)
}

async function stampOfSources(): Promise<string> {
  const hash = createHash('sha256')
  for (const source of SOURCES) {
    for (const file of await filesOf(path.join(cloneRoot, source))) {
      hash
        .update(file)
        .update('\0')
        .update(await readFile(file))
    }
  }
  return hash.digest('hex')
}

async function filesOf(source: string): Promise<string[]> {
  if (path.extname(source) !== '') return [source]
  const names = await readdir(source, { recursive: true })
  return names
    .filter((name) => name.endsWith('.ts'))
    .toSorted()
    .map((name) => path.join(source, name))
}

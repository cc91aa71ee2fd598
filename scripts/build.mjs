// Compiles src into dist for the image: JavaScript, the files beside it, and the workflow bundle.
import { cp, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker'

import { cloneRoot } from './bootstrap/folders.mjs'
import { run } from './bootstrap/run.mjs'

const dist = path.join(cloneRoot, 'dist')
const source = path.join(cloneRoot, 'src')

await rm(dist, { recursive: true, force: true })
await compile()
// Whatever is not TypeScript is read at run time from beside the code: migrations, pages.
await cp(source, path.join(dist, 'src'), {
  recursive: true,
  filter: (file) => !file.endsWith('.ts'),
})
const { code } = await bundleWorkflowCode({
  workflowsPath: path.join(dist, 'src', 'workflows', 'index.js'),
  logger: new DefaultLogger('WARN'),
})
await writeFile(path.join(dist, 'workflow-bundle.js'), code)
process.stdout.write(`Built ${dist}\n`)

async function compile() {
  const compiler = path.join(cloneRoot, 'node_modules', 'tsc7', 'bin', 'tsc')
  const args = [compiler, '-p', path.join(cloneRoot, 'tsconfig.build.json')]
  const { status } = await run(process.execPath, args, { cwd: cloneRoot, output: 'inherit' })
  if (status !== 0) process.exit(1)
}

/**
 * Writes the reference page of the schema from the catalogue of a migrated database:
 *   node --import tsx scripts/generate-schema-docs.ts [--check]
 * With `--check` nothing is written, and the status is 1 where the page differs.
 */
import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { cloneRoot } from '../src/cli/local/clone.js'
import { withMigratedDatabase } from './migrated-database.js'
import { schemaPage } from './schema-diagram.js'

const PAGE = 'docs/reference/schema.md'
const file = path.join(cloneRoot, PAGE)

const text = await withMigratedDatabase(schemaPage)
if (!process.argv.includes('--check')) {
  await writeFile(file, text)
  process.stdout.write(`Wrote ${PAGE}.\n`)
} else if ((await readFile(file, 'utf8').catch(() => '')) !== text) {
  process.stderr.write(`Out of date: ${PAGE}. Run scripts/generate-schema-docs.ts.\n`)
  process.exitCode = 1
}

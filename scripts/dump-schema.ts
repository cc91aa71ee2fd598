import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

import { withMigratedDatabase } from './migrated-database.js'
import { schemaText } from './schema-text.js'

/** Writes `test/db/schema.sql`: the schema that the migrations make in an empty database. */
const TARGET = fileURLToPath(new URL('../test/db/schema.sql', import.meta.url))

await writeFile(TARGET, await withMigratedDatabase(schemaText))
console.log(`Wrote ${path.relative(process.cwd(), TARGET)}.`)

// Runs worker.ts or api.ts of this folder as bin/yuanlu.mjs runs a command: from the sources.
// With `--import tsx` on the command line, Temporal's threads would each load it too.
import { register } from 'tsx/esm/api'

process.setSourceMapsEnabled(true)
register()
const [kind] = process.argv.splice(2, 1)
await import(new URL(`./${kind}.ts`, import.meta.url).href)

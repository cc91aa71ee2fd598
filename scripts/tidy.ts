import { cloneRoot } from '../src/cli/local/clone.js'
import { checkTree, formatProblem } from '../test/support/tidy/check-tree.js'
import { readSourceFiles } from '../test/support/tidy/source-file.js'

const files = readSourceFiles(cloneRoot)
const problems = checkTree(files)
for (const problem of problems) process.stdout.write(`${formatProblem(problem)}\n`)
// Seeing nothing would look the same as finding nothing.
process.exitCode = files.length > 0 && problems.length === 0 ? 0 : 1

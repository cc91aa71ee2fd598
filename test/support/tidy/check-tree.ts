import { checkBannedWords } from './banned-words.js'
import { checkExports } from './exports.js'
import { checkImports } from './imports.js'
import { checkLimits } from './limits.js'
import type { Problem, SourceFile } from './source-file.js'
import { checkTestNames } from './test-names.js'
import { checkWorkflowState } from './workflow-state.js'

const CHECKS = [
  checkImports,
  checkBannedWords,
  checkLimits,
  checkExports,
  checkTestNames,
  checkWorkflowState,
]

/** Runs every check over every file. */
export function checkTree(files: readonly SourceFile[]): Problem[] {
  return files.flatMap((file) => CHECKS.flatMap((check) => check(file)))
}

/** Writes a problem as one line that editors can jump to. */
export function formatProblem({ path, line, message }: Problem): string {
  return `${path}:${line} ${message}`
}

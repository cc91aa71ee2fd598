import ts from 'typescript'

import { lineOf, parse, type Problem, type SourceFile } from './source-file.js'

/** The entry that Temporal bundles, and the factory of the activities. */
const ENTRIES = new Set(['src/workflows/index.ts', 'src/activities/index.ts'])
/** These are read by tools that ask for a default export. */
const CONFIG_FILE = /^[^/]+\.config\.ts$/

/** Finds default exports, and files that only pass on what others export. */
export function checkExports(file: SourceFile): Problem[] {
  const tree = parse(file)
  return tree.statements.flatMap((statement) => {
    const message = explain(file, statement)
    return message === undefined
      ? []
      : [{ path: file.path, line: lineOf(tree, statement), message }]
  })
}

function explain(file: SourceFile, statement: ts.Statement): string | undefined {
  if (isDefaultExport(statement)) {
    if (CONFIG_FILE.test(file.path)) return undefined
    return 'A default export has another name in every file. Export it by its name.'
  }
  const passesOn = ts.isExportDeclaration(statement) && statement.moduleSpecifier !== undefined
  if (!passesOn || ENTRIES.has(file.path)) return undefined
  return 'A file that passes on exports hides where things are. Import from the file that has them.'
}

function isDefaultExport(statement: ts.Statement): boolean {
  if (ts.isExportAssignment(statement)) return true
  const modifiers = ts.canHaveModifiers(statement) ? ts.getModifiers(statement) : undefined
  return modifiers?.some((each) => each.kind === ts.SyntaxKind.DefaultKeyword) === true
}

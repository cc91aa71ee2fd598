import ts from 'typescript'

import { lineOf, parse, type Problem, type SourceFile } from './source-file.js'

const COLLECTIONS = new Set(['Map', 'Set', 'WeakMap', 'WeakSet', 'Array'])
const MESSAGE =
  'Module state is shared by every workflow of a worker and is not replayed. ' +
  'Keep it in a variable of the workflow function.'

/** Finds state at the top level of workflow modules that could change while workflows run. */
export function checkWorkflowState(file: SourceFile): Problem[] {
  if (!file.path.startsWith('src/workflows/')) return []
  const tree = parse(file)
  return tree.statements
    .filter(ts.isVariableStatement)
    .filter((statement) => isMutable(statement))
    .map((statement) => ({ path: file.path, line: lineOf(tree, statement), message: MESSAGE }))
}

function isMutable({ declarationList }: ts.VariableStatement): boolean {
  if ((declarationList.flags & ts.NodeFlags.Const) === 0) return true
  return declarationList.declarations.some(({ initializer, type }) => {
    if (initializer === undefined || type?.getText().startsWith('Readonly')) return false
    return isCollection(initializer) || isEmptyLiteral(initializer)
  })
}

function isCollection(node: ts.Expression): boolean {
  return ts.isNewExpression(node) && COLLECTIONS.has(node.expression.getText())
}

/** An empty literal is there to be filled. */
function isEmptyLiteral(node: ts.Expression): boolean {
  if (ts.isArrayLiteralExpression(node)) return node.elements.length === 0
  return ts.isObjectLiteralExpression(node) && node.properties.length === 0
}

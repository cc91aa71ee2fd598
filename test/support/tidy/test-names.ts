import ts from 'typescript'

import { lineOf, parse, type Problem, type SourceFile } from './source-file.js'

const TEST_CALL = /^(?:test|it)(?:\.each|\.concurrent|\.sequential|\.for)*$/

/** Finds two tests of one name in one file: a report could not tell which of them failed. */
export function checkTestNames(file: SourceFile): Problem[] {
  if (!file.path.endsWith('.test.ts')) return []
  const tree = parse(file)
  const seen = new Set<string>()
  const problems: Problem[] = []
  const visit = (node: ts.Node, group: string): void => {
    const name = nameOf(node)
    if (name?.isTest === true) {
      const full = `${group} ${name.text}`
      const message = `A second test named "${name.text}": say in its name how it differs.`
      if (seen.has(full)) problems.push({ path: file.path, line: lineOf(tree, node), message })
      seen.add(full)
    }
    const inner = name?.isTest === false ? `${group} ${name.text}` : group
    ts.forEachChild(node, (child) => visit(child, inner))
  }
  visit(tree, '')
  return problems
}

/** The literal name of a call of `test` or `describe`, also of `test.each(table)`. */
function nameOf(node: ts.Node): { text: string; isTest: boolean } | undefined {
  if (!ts.isCallExpression(node)) return undefined
  const [name] = node.arguments
  if (name === undefined || !ts.isStringLiteralLike(name)) return undefined
  const callee = ts.isCallExpression(node.expression) ? node.expression.expression : node.expression
  const called = callee.getText()
  if (TEST_CALL.test(called)) return { text: name.text, isTest: true }
  return /^describe\b/.test(called) ? { text: name.text, isTest: false } : undefined
}

import ts from 'typescript'

import { lineOf, parse, type Problem, type SourceFile } from './source-file.js'

const FILE_LINES_MAX = 400
const FUNCTION_LINES_MAX = 60
const LINE_COLUMNS_MAX = 100
const DEPTH_MAX = 3

/** Finds what has outgrown the size at which one can still read it in one go. */
export function checkLimits(file: SourceFile): Problem[] {
  return [
    ...checkFileLength(file),
    ...checkLineLengths(file),
    ...checkDepth(file),
    ...checkFunctionLengths(file),
  ]
}

function checkFileLength(file: SourceFile): Problem[] {
  const lines = file.text.trimEnd().split('\n').length
  if (lines <= FILE_LINES_MAX) return []
  const message = `${lines} lines, more than ${FILE_LINES_MAX}: give each of its parts a file.`
  return [{ path: file.path, line: FILE_LINES_MAX + 1, message }]
}

function checkLineLengths(file: SourceFile): Problem[] {
  return file.text.split('\n').flatMap((text, index) => {
    const columns = text.length
    if (columns <= LINE_COLUMNS_MAX) return []
    const message = `${columns} columns, more than ${LINE_COLUMNS_MAX}: break the line.`
    return [{ path: file.path, line: index + 1, message }]
  })
}

function checkDepth(file: SourceFile): Problem[] {
  const folders = file.path.split('/').length - 2
  if (!file.path.startsWith('src/') || folders <= DEPTH_MAX) return []
  const message = `${folders} folders deep, more than ${DEPTH_MAX}: a flat tree is found sooner.`
  return [{ path: file.path, line: 1, message }]
}

/** A block of tests is a list rather than a function, so `describe` is not counted. */
function checkFunctionLengths(file: SourceFile): Problem[] {
  const tree = parse(file)
  const problems: Problem[] = []
  const visit = (node: ts.Node): void => {
    if (isFunctionWithBody(node) && !isDescribeBody(node)) {
      const line = lineOf(tree, node)
      const lines = tree.getLineAndCharacterOfPosition(node.getEnd()).line + 2 - line
      if (lines > FUNCTION_LINES_MAX)
        problems.push({ path: file.path, line, message: tooLong(lines) })
    }
    ts.forEachChild(node, visit)
  }
  visit(tree)
  return problems
}

function tooLong(lines: number): string {
  return `A function of ${lines} lines, more than ${FUNCTION_LINES_MAX}: name its steps.`
}

function isFunctionWithBody(node: ts.Node): boolean {
  return ts.isFunctionLike(node) && 'body' in node && node.body !== undefined
}

function isDescribeBody(node: ts.Node): boolean {
  const call = node.parent
  return ts.isCallExpression(call) && /^describe\b/.test(call.expression.getText())
}

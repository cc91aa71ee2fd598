import path from 'node:path/posix'

import ts from 'typescript'

import { lineOf, parse, type Problem, type SourceFile } from './source-file.js'

/** One import of another file of the tree. */
export interface RelativeImport {
  readonly from: string
  /** The imported file, relative to the clone, without its suffix. */
  readonly to: string
  readonly line: number
  /** True when nothing of it is left at run time. */
  readonly typeOnly: boolean
}

type Rule = (importer: string, imported: string) => boolean

const anything: Rule = () => true
const nothing: Rule = () => false
const isUnder = (file: string, places: readonly string[]): boolean =>
  places.some((place) => file === `src/${place}` || file.startsWith(`src/${place}/`))
const only =
  (...places: string[]): Rule =>
  (_importer, imported) =>
    isUnder(imported, places)

/** Which unit of `src` may take values from which others; the own unit is always allowed. */
const VALUE_RULES: Readonly<Record<string, Rule>> = {
  domain: nothing,
  wechat: (importer, imported) =>
    importer === 'src/wechat/channel.ts' && isUnder(imported, ['domain/channel', 'domain/errors']),
  db: only('domain'),
  ledger: only('domain', 'db'),
  workflows: only('domain'),
  activities: only('domain', 'wechat', 'printing', 'db', 'ledger'),
  engine: only('domain', 'db', 'workflows/messages'),
  webhooks: only('domain', 'db', 'engine/loop', 'api/views'),
  api: only('domain', 'db', 'ledger', 'engine', 'webhooks', 'workflows/messages', 'wechat'),
  sandbox: nothing,
  'config.ts': only('config-fields'),
  'config-fields.ts': nothing,
  'worker.ts': anything,
  cli: anything,
  chaos: anything,
}

/** These keep even the types of others out: they must be readable, and right, alone. */
const UNITS_WITHOUT_TYPES = new Set(['domain', 'sandbox'])
/** The roots that wire everything may read the environment; whatever they wire is given it. */
const CONFIG_READERS = [/^src\/worker\.ts$/, /^src\/cli\//, /^src\/[^/]+\/main\.ts$/]

/** Finds imports that run against the direction of dependencies. */
export function checkImports(file: SourceFile): Problem[] {
  if (!file.path.startsWith('src/')) return []
  return listImports(file).flatMap((each) => {
    const message = explain(each)
    return message === undefined ? [] : [{ path: file.path, line: each.line, message }]
  })
}

/** Lists the imports of other files of the tree, static and dynamic. */
export function listImports(file: SourceFile): RelativeImport[] {
  const tree = parse(file)
  const found: RelativeImport[] = []
  const add = (specifier: ts.Expression | undefined, node: ts.Node, typeOnly: boolean): void => {
    if (specifier === undefined || !ts.isStringLiteralLike(specifier)) return
    if (!specifier.text.startsWith('.')) return
    const target = path.join(path.dirname(file.path), specifier.text)
    const to = target.replace(/\.(js|ts|mjs)$/, '')
    found.push({ from: file.path, to, line: lineOf(tree, node), typeOnly })
  }
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) add(node.moduleSpecifier, node, isTypeOnly(node))
    if (ts.isExportDeclaration(node)) add(node.moduleSpecifier, node, node.isTypeOnly)
    if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      add(node.arguments[0], node, false)
    }
    ts.forEachChild(node, visit)
  }
  visit(tree)
  return found
}

function isTypeOnly(node: ts.ImportDeclaration): boolean {
  const clause = node.importClause
  if (clause === undefined) return false
  if (clause.isTypeOnly) return true
  const bindings = clause.namedBindings
  if (clause.name !== undefined || bindings === undefined) return false
  return ts.isNamedImports(bindings) && bindings.elements.every((element) => element.isTypeOnly)
}

function explain({ from, to, typeOnly }: RelativeImport): string | undefined {
  const unit = unitOf(from)
  const target = unitOf(to)
  if (unit === target) return undefined
  if (!to.startsWith('src/')) return `${to} is outside src: what ships must not need it. Move it.`
  if (target === 'config.ts') return explainConfig(from)
  if (typeOnly && !UNITS_WITHOUT_TYPES.has(unit)) return undefined
  const rule = /^src\/[^/]+\/main\.ts$/.test(from) && unit !== 'sandbox' ? anything : ruleOf(unit)
  if (rule(from, to)) return undefined
  const what = typeOnly ? 'types' : 'values'
  return (
    `src/${unit} may not import ${what} of ${to}: dependencies point from the edge to the ` +
    'domain (ARCHITECTURE.md). Take it as an argument, or move it to where both may look.'
  )
}

function ruleOf(unit: string): Rule {
  const rule = VALUE_RULES[unit]
  if (rule === undefined) throw new Error(`test/support/tidy/imports.ts has no rule for ${unit}.`)
  return rule
}

function explainConfig(from: string): string | undefined {
  if (CONFIG_READERS.some((pattern) => pattern.test(from))) return undefined
  return 'Only worker.ts, cli/ and main.ts read the configuration: take the value as an argument.'
}

/** The folder right under `src`, or the file itself when it lies there. */
function unitOf(file: string): string {
  const [, unit = ''] = file.split('/')
  const isFile = file.split('/').length === 2
  return isFile ? `${unit.replace(/\.ts$/, '')}.ts` : unit
}

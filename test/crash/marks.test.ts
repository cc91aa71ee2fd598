import ts from 'typescript'
import { describe, expect, it } from 'vitest'

import { cloneRoot } from '../../src/cli/local/clone.js'
import { lineOf, parse, readSourceFiles, type SourceFile } from '../support/tidy/source-file.js'

/** These pass an effect on to a fail point of whoever calls them. */
const PASSED_ON = new Set([
  'src/activities/order-rates.ts',
  'src/activities/refund-deadline.ts',
  'src/activities/refund-transaction.ts',
])
/** Handing events out is not among them: its transaction is begun each time, mostly for nothing. */
const LOOPS = new Set([
  'src/engine/due-payments.ts',
  'src/engine/due-refunds.ts',
  'src/engine/external-refunds.ts',
  'src/engine/redelivery.ts',
  'src/engine/surplus-refunds.ts',
  'src/engine/sweep.ts',
  'src/webhooks/delivery.ts',
])

const CHANNEL = /channel\.(placeOrder|queryOrder|closeOrder|submitRefund|queryRefund|listRefunds)$/
const TRANSACTION = /^(inTransaction|withLockedRefund)$/
const WRITE = /^((store|mark|set)\w+|askRefundAt|watchFrom|finishAttempt|disableGoneEndpoint)$/
/** What somebody else is told; to ask whether a workflow runs tells it nothing. */
const TOLD = /^(engine\.(?!isRunning)\w+|egress)$/

function isEffect({ expression, arguments: [first] }: ts.CallExpression): boolean {
  const callee = expression.getText()
  if (CHANNEL.test(callee) || TRANSACTION.test(callee) || TOLD.test(callee)) return true
  return WRITE.test(callee) && first?.getText() === 'database'
}

/** True inside of what is given to a fail point, those of a module being called AT. */
function isMarked(node: ts.Node, seen: ReadonlySet<ts.Node> = new Set()): boolean {
  for (let at = node; at.parent !== undefined; at = at.parent) {
    const { parent } = at
    if (ts.isCallExpression(parent) && parent.expression.getText().startsWith('AT.')) return true
    if (ts.isFunctionDeclaration(parent) && isMarkedByCallers(parent, seen)) return true
  }
  return false
}

/** A helper of the module may leave the fail point to all of its callers. */
function isMarkedByCallers(helper: ts.FunctionDeclaration, seen: ReadonlySet<ts.Node>): boolean {
  if (seen.has(helper)) return false
  const calls = callsIn(helper.getSourceFile()).filter(
    ({ expression }) => expression.getText() === helper.name?.text,
  )
  const within = new Set([...seen, helper])
  return calls.length > 0 && calls.every((call) => isMarked(call, within))
}

function callsIn(tree: ts.SourceFile): ts.CallExpression[] {
  const found: ts.CallExpression[] = []
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node)) found.push(node)
    ts.forEachChild(node, visit)
  }
  visit(tree)
  return found
}

function unmarked(file: SourceFile): string[] {
  const tree = parse(file)
  return callsIn(tree)
    .filter((call) => isEffect(call) && !isMarked(call))
    .map((call) => `${file.path}:${lineOf(tree, call)} ${call.expression.getText()}`)
}

const isLookedAt = ({ path }: SourceFile): boolean =>
  (path.startsWith('src/activities/') || LOOPS.has(path)) && !PASSED_ON.has(path)

describe('effects of activities and loops', () => {
  it('each of them: stands inside a fail point', () => {
    const files = readSourceFiles(cloneRoot).filter(isLookedAt)
    expect(files.length).toBeGreaterThan(20)
    expect(files.flatMap(unmarked)).toEqual([])
  })

  it.each([
    ['await channel.queryOrder(order, options)', 1],
    ['await AT.queryOrder(() => channel.queryOrder(order, options))', 0],
    ['await inTransaction(database, (tx) => book(tx))', 1],
    ['await markPlaced(database, id, now)', 1],
    ['await markPlaced(tx, id, now)', 0],
    ['await engine.paymentFact(payment, id)', 1],
    ['await findPayment(database, id)', 0],
    ['await AT.ask(() => ask())\nasync function ask() { channel.queryOrder(order) }', 0],
    ['await ask()\nasync function ask() { channel.queryOrder(order) }', 1],
  ])('%s: is told %i times', (text, times) => {
    const problems = unmarked({ path: 'src/activities/x.ts', text })
    expect(problems).toHaveLength(times)
  })
})

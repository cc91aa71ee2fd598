import { randomBytes } from 'node:crypto'

import fc from 'fast-check'
import { describe, expect, onTestFinished, test } from 'vitest'

import { newId } from '../../src/db/ids.js'
import { run } from '../db/support/book.js'
import { createTestDatabase } from '../support/database.js'
import { emptyBook, type Book, type Moment } from './model/book.js'
import { OPENING, plans, resolve, type Draft } from './model/commands.js'
import { findOrder, groups, inTurn, partOf, type Done, type View } from './model/search.js'
import { readSums, readView, viewOf } from './model/view.js'
import { OPERATOR_LIMIT_FEN, World } from './model/world.js'

/** How many commands ran and how often two of a step could touch each other. */
interface Tally {
  commands: number
  races: number
  answers: Map<string, number>
}

const newTally = (): Tally => ({ commands: 0, races: 0, answers: new Map() })

async function openWorld(): Promise<World> {
  const database = await createTestDatabase()
  const world = new World(database)
  onTestFinished(async () => {
    await world.close()
    await database.drop()
  })
  return world
}

/** One step: everything at once on eight connections, then the model beside what became of it. */
async function doBatch(
  world: World,
  book: Book,
  batch: readonly Draft[],
  step: number,
  tally: Tally,
) {
  const commands = resolve(book, batch, () => newId(world.clock.now()))
  const done = await Promise.all(
    commands.map(async (command): Promise<Done> => ({ command, answer: await world.run(command) })),
  )
  world.clock.nextDay()
  const { view, storedAt } = await readView(world)
  const moment: Moment = { step, storedAt, operatorLimitFen: OPERATOR_LIMIT_FEN }
  tally.commands += done.length
  for (const { command, answer } of done) {
    const key = `${command.kind}: ${answer.replaceAll(/\d+|known .*/g, '')}`
    tally.answers.set(key, 1 + (tally.answers.get(key) ?? 0))
  }
  const next = structuredClone(book)
  for (const group of groups(book, done)) {
    if (group.length > 1) tally.races += 1
    const part = partOf(book, group)
    const found = findOrder(part, group, moment, viewOf, seenOf(view, part, group))
    if (found === undefined) explain(part, group, moment, seenOf(view, part, group))
    else
      for (const key of ['payments', 'refunds', 'keys'] as const)
        Object.assign(next[key], found[key])
  }
  expect(view).toEqual(viewOf(next))
  await checkSums(world, next)
  return next
}

/** What the database says of the payments that a group of commands can touch. */
function seenOf(view: View, part: Book, group: readonly Done[]): View {
  const ids = new Set(Object.keys(part.payments))
  for (const { command } of group) if (command.kind === 'create') ids.add(command.id)
  return Object.fromEntries(
    Object.entries(view).filter(([id, of]) => {
      return ids.has(id) || ids.has((of as { paymentId?: string }).paymentId ?? '')
    }),
  )
}

/** Shows the commands and one order of them beside what really became. */
function explain(part: Book, group: readonly Done[], moment: Moment, seen: View): never {
  const { book, answers } = inTurn(part, group, moment)
  const lines = group.map(({ command, answer }, index) => {
    return `${JSON.stringify(command)}\n  answered ${answer}; in turn: ${answers[index]}`
  })
  expect(seen, `No order of these makes what is seen:\n${lines.join('\n')}`).toEqual(viewOf(book))
  throw new Error(`No order of these answers so:\n${lines.join('\n')}`)
}

/** What holds whatever was done: the book balances, and says the same as the payments. */
async function checkSums(world: World, book: Book): Promise<void> {
  const sums = await readSums(world.owner, world.account.merchantId)
  const sumOf = (account: string): number => sums.get(account) ?? 0
  const payments = Object.values(book.payments)
  const refundedFen = payments.reduce((sum, payment) => sum + payment.refundedFen, 0)
  const heldFen = payments
    .filter(({ disposition }) => disposition === 'held')
    .reduce((sum, payment) => sum + (payment.settlementFen ?? 0), 0)
  const inTransitFen = Object.values(book.refunds)
    .filter(({ isInTransit }) => isInTransit)
    .reduce((sum, refund) => sum + (refund.settlementFen ?? 0), 0)
  expect([...sums.values()].reduce((one, two) => one + two, 0)).toBe(0)
  expect({
    returns: sumOf('returns'),
    suspense: 0 - sumOf('suspense'),
    inTransit: sumOf('refunds_in_transit'),
  }).toEqual({ returns: refundedFen, suspense: heldFen, inTransit: inTransitFen })
  for (const { lines } of Object.values(book.refunds)) {
    const count = (rules: RegExp): number => lines.filter((line) => rules.test(line)).length
    expect([0, 1]).toContain(count(/^J1/) - count(/^J[34]/))
  }
}

/** Any plan, with a merchant of its own, keeps the database and the model equal. */
const property = (world: World, tally: Tally) =>
  fc.asyncProperty(plans, async (plan) => {
    await world.openMerchant()
    let book = emptyBook()
    for (const [step, batch] of [...OPENING, ...plan].entries())
      book = await doBatch(world, book, batch, step, tally)
  })

/** Some of what a run must have come to, so that it is known to have got anywhere. */
const SEEN = [
  'settle payment: paid null',
  'request: requested ',
  'request: refund_exceeds_payment ',
  'decide: approved',
  'send: PROCESSING',
  'settle refund: done null',
]

describe('the book beside a model of it', { timeout: 120_000 }, () => {
  test('anything at random on 8 connections: makes what the model makes', async () => {
    const world = await openWorld()
    const tally = newTally()
    // A failure names its seed and path: give them here to see it again, and shrunk.
    await fc.assert(property(world, tally), {
      numRuns: 10,
      seed: randomBytes(4).readInt32LE(),
      interruptAfterTimeLimit: 90_000,
    })
    expect(tally.commands).toBeGreaterThan(800)
    expect(tally.races).toBeGreaterThan(150)
    expect([...tally.answers.keys()]).toEqual(expect.arrayContaining(SEEN))
  })
})

describe('what the model finds', { timeout: 120_000 }, () => {
  const SABOTAGES: readonly (readonly [string, string])[] = [
    ['a trigger that is gone', 'drop trigger refunds_count on refunds'],
    [
      'an effect that was changed',
      "update refund_effects set bucket = 'none' where state = 'approved'",
    ],
    [
      'a check that is gone, and a request that asks for more than is left',
      `alter table payments drop constraint payments_refunds_within_paid;
       do $$ begin execute replace(pg_get_functiondef('request_refund'::regproc),
         'p_amount_fen > left_fen', 'p_amount_fen > left_fen + 400'); end $$`,
    ],
    [
      'a lock of the payment that is gone',
      `do $$ begin execute replace(pg_get_functiondef('request_refund'::regproc),
         'for no key update', ''); end $$`,
    ],
  ]

  test.each(SABOTAGES)('%s: is found', async (_, sabotage) => {
    const world = await openWorld()
    await run(world.owner, sabotage)
    const result = await fc.check(property(world, newTally()), { numRuns: 60, endOnFailure: true })
    expect(result.failed).toBe(true)
    // Found by what it says or by what the database refused, not because something broke down.
    expect(String(result.errorInstance)).toMatch(/No order of these|violates check constraint/)
  })
})

import { randomBytes } from 'node:crypto'

import fc from 'fast-check'
import { describe, expect, onTestFinished, test } from 'vitest'

import { newId } from '../../src/db/ids.js'
import { run } from '../db/support/book.js'
import { createTestDatabase } from '../support/database.js'
import { emptyBook, the, type Book, type Moment, type Payment } from './model/book.js'
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
    else keep(next, found, group)
  }
  expect(view).toEqual(viewOf(next))
  await checkSums(world, next)
  return next
}

/** Takes over what a group of commands came to. */
function keep(next: Book, found: Book, group: readonly Done[]): void {
  for (const key of ['payments', 'refunds', 'keys'] as const) Object.assign(next[key], found[key])
  if (group.some(({ command }) => command.kind === 'send')) next.triedIn = found.triedIn
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
  const isSale = (payment: Payment): boolean => payment.disposition === 'accepted'
  const refundedFen = payments
    .filter((payment) => isSale(payment))
    .reduce((sum, payment) => sum + payment.refundedFen, 0)
  const heldFen = payments
    .filter((payment) => payment.state === 'paid' && !isSale(payment))
    .reduce((sum, payment) => sum + (payment.settlementFen ?? 0), 0)
  const fromHeldFen = Object.values(book.refunds)
    .filter(({ state, paymentId }) => state === 'done' && !isSale(the(book.payments, paymentId)))
    .reduce((sum, refund) => sum + (refund.settlementFen ?? 0), 0)
  const inTransitFen = Object.values(book.refunds)
    .filter(({ isInTransit }) => isInTransit)
    .reduce((sum, refund) => sum + (refund.settlementFen ?? 0), 0)
  expect([...sums.values()].reduce((one, two) => one + two, 0)).toBe(0)
  expect({
    returns: sumOf('returns'),
    suspense: 0 - sumOf('suspense'),
    inTransit: sumOf('refunds_in_transit'),
  }).toEqual({ returns: refundedFen, suspense: heldFen - fromHeldFen, inTransit: inTransitFen })
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
  'portal: booked done',
  'decide held: returned',
  'portal: booked refunding',
]

describe('the book beside a model of it', { timeout: 300_000 }, () => {
  test('anything at random on 8 connections: makes what the model makes', async () => {
    const world = await openWorld()
    const tally = newTally()
    // A failure names its seed and path: give them here to see it again, and shrunk.
    await fc.assert(property(world, tally), {
      numRuns: 20,
      seed: randomBytes(4).readInt32LE(),
      interruptAfterTimeLimit: 240_000,
    })
    expect(tally.commands).toBeGreaterThan(800)
    expect(tally.races).toBeGreaterThan(150)
    expect([...tally.answers.keys()]).toEqual(expect.arrayContaining(SEEN))
    expect([...tally.answers.keys()].some((key) => key.endsWith('too much'))).toBe(true)
  })
})

describe('what the model finds', { timeout: 300_000 }, () => {
  const SABOTAGES: readonly (readonly [string, string])[] = [
    ['a trigger that is gone', 'drop trigger refunds_count on refunds'],
    [
      'an effect that was changed',
      "update refund_effects set bucket = 'none' where state = 'approved'",
    ],
    [
      'a check that is gone, and a request that asks for more than is left',
      `alter table payments drop constraint payments_refunds_within_paid;
       do $$ begin execute replace(pg_get_functiondef('refund_refusal'::regproc),
         'p_amount_fen > p_left_fen', 'p_amount_fen > p_left_fen + 400'); end $$`,
    ],
    [
      'what is too much without a case',
      `drop trigger payments_over_reserved_has_case on payments;
       do $$ begin execute replace(pg_get_functiondef('book_external_refund'::regproc),
         'if over > payment.over_reserved_fen then', 'if false then'); end $$`,
    ],
    [
      'what is too much and stays so when it is released',
      `alter table payments drop constraint payments_over_reserved_exact;
       do $$ begin execute replace(pg_get_functiondef('refunds_count'::regproc),
         'over_reserved_fen = least(', 'over_reserved_fen = greatest('); end $$`,
    ],
    [
      'what the portal gave back of held money, which goes back once more',
      `do $$ begin execute replace(pg_get_functiondef('open_surplus_refund'::regproc),
         'p.paid_fen - p.reserved_fen - p.refunded_fen - p.settled_fen', 'p.paid_fen'); end $$`,
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

import { isDeepStrictEqual } from 'node:util'

import { emptyBook, type Answer, type Book, type Moment } from './book.js'
import type { Command } from './commands.js'
import { stepsOf, type Local, type Step } from './steps.js'

/** A command that was run, with what it answered. */
export interface Done {
  readonly command: Command
  readonly answer: Answer
}

/** What can be seen of a book from outside: equal for the model and for the database. */
export type View = Readonly<Record<string, unknown>>
export type Viewer = (book: Book) => View

interface Thread {
  readonly id: number
  readonly steps: readonly Step[]
  readonly answer: Answer
  readonly at: number
  readonly local: Local
}

/** Far more than eight commands need; a search that ends here found nothing. */
const NODES_MAX = 120_000

/**
 * Looks for an order of the steps of commands that ran at once in which each answers what it really
 * answered and the book ends as it really did: what transactions promise.
 * @returns the model's book after it, or undefined when there is no such order
 */
export function findOrder(
  book: Book,
  done: readonly Done[],
  moment: Moment,
  viewOf: Viewer,
  actual: View,
): Book | undefined {
  // Different orders often come to the same: what was looked at from there is not looked at again.
  const visited = new Set<string>()
  const search = (from: Book, threads: readonly Thread[]): Book | undefined => {
    const key = JSON.stringify([from, threads.map(({ id, at, local }) => [id, at, local])])
    if (visited.has(key) || visited.size > NODES_MAX) return undefined
    visited.add(key)
    if (threads.length === 0) return isDeepStrictEqual(viewOf(from), actual) ? from : undefined
    for (const [index, thread] of threads.entries()) {
      const next = structuredClone(from)
      const advanced = advance(next, thread, moment)
      if (advanced === 'impossible') continue
      const rest = threads.flatMap((other, place) => {
        if (place !== index) return [other]
        return advanced === 'over' ? [] : [advanced]
      })
      const found = search(next, rest)
      if (found !== undefined) return found
    }
    return undefined
  }
  const threads = done.map(({ command, answer }, id) => ({
    id,
    steps: stepsOf(command),
    answer,
    at: 0,
    local: {},
  }))
  return search(book, threads)
}

function advance(book: Book, thread: Thread, moment: Moment): Thread | 'over' | 'impossible' {
  const local = { ...thread.local }
  const answer = thread.steps[thread.at]?.(book, local, moment)
  if (answer === undefined) return { ...thread, local, at: thread.at + 1 }
  return answer === thread.answer ? 'over' : 'impossible'
}

/** One order of them all, whatever they answered: what a failure is compared with. */
export function inTurn(
  book: Book,
  done: readonly Done[],
  moment: Moment,
): { book: Book; answers: Answer[] } {
  const next = structuredClone(book)
  const answers = done.map(({ command }) => {
    const local: Local = {}
    for (const step of stepsOf(command)) {
      const answer = step(next, local, moment)
      if (answer !== undefined) return answer
    }
    return 'no answer'
  })
  return { book: next, answers }
}

/** Groups commands that can touch each other: by payment, by order and by idempotency key. */
export function groups(book: Book, done: readonly Done[]): Done[][] {
  const parents = new Map<string, string>()
  const root = (name: string): string => {
    const parent = parents.get(name) ?? name
    return parent === name ? name : root(parent)
  }
  const join = (names: readonly string[]): void => {
    for (const name of names) parents.set(root(name), root(names[0] ?? name))
  }
  for (const payment of Object.values(book.payments)) join(namesOfPayment(payment))
  for (const { command } of done) join(namesOf(book, command))
  // An account without money couples all that is sent of it.
  const sends = done.filter(({ command }) => command.kind === 'send')
  if (book.triedIn !== null || sends.some(({ command }) => isNotEnough(command))) {
    join(sends.flatMap(({ command }) => namesOf(book, command)))
  }
  const byRoot = new Map<string, Done[]>()
  for (const each of done) {
    const name = root(namesOf(book, each.command)[0] ?? '')
    byRoot.set(name, [...(byRoot.get(name) ?? []), each])
  }
  return [...byRoot.values()]
}

const isNotEnough = (command: Command): boolean =>
  command.kind === 'send' && command.submit === 'not_enough'

const namesOfPayment = ({ id, orderRef }: { id: string; orderRef: string | null }): string[] =>
  orderRef === null ? [id] : [id, orderRef]

function namesOf(book: Book, command: Command): string[] {
  if (command.kind === 'create') return namesOfPayment(command)
  if (command.kind === 'request') return [command.paymentId, command.key]
  if ('paymentId' in command) return [command.paymentId]
  return [book.refunds[command.refundId]?.paymentId ?? '']
}

/** The part of a book that a group of commands can touch. */
export function partOf(book: Book, group: readonly Done[]): Book {
  const names = new Set(group.flatMap(({ command }) => namesOf(book, command)))
  const orders = new Set(
    [...names].flatMap((name) => book.payments[name]?.orderRef ?? []).concat([...names]),
  )
  const part: Book = { ...emptyBook(), triedIn: book.triedIn }
  for (const [id, payment] of Object.entries(book.payments)) {
    if (names.has(id) || orders.has(payment.orderRef ?? id)) part.payments[id] = payment
  }
  for (const [id, refund] of Object.entries(book.refunds)) {
    if (refund.paymentId in part.payments) part.refunds[id] = refund
  }
  for (const [key, known] of Object.entries(book.keys)) if (names.has(key)) part.keys[key] = known
  return part
}

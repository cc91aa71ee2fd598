import type { Offence } from '../../../src/chaos/books/offences.js'
import type { SoundBooks } from './sound-books.js'

/** One thing that is wrong, with the offence and the subject that have to be named for it. */
export type Difference = readonly [
  kind: Offence,
  subject: string,
  what: string,
  change: (sound: SoundBooks) => unknown,
]

/** The one of a list that has this number or id; a test that looks for another is wrong itself. */
export function one<T extends object>(list: readonly T[], name: string): T {
  const found = list.find((each) => Object.values(each).includes(name))
  if (found === undefined) throw new Error(`There is no ${name}.`)
  return found
}

export const payment = ({ books }: SoundBooks, number: string) => one(books.tables.payments, number)
export const refund = ({ books }: SoundBooks, number: string) => one(books.tables.refunds, number)

export const without = <T extends object>(list: readonly T[], name: string): T[] =>
  list.filter((each) => !Object.values(each).includes(name))

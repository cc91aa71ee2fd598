import type { DrivenOrders } from '../driven.js'
import type { Books } from './books.js'
import { checkAnswers } from './check-answers.js'
import { checkHistories } from './check-histories.js'
import { bookSumFen, checkBalance, checkJournal } from './check-journal.js'
import { checkMessages } from './check-messages.js'
import { checkPayments } from './check-payments.js'
import { checkRefunds } from './check-refunds.js'
import { checkSums } from './check-sums.js'
import { OFFENCES, type OffenceClass, type Offender } from './offences.js'
import { Shelf } from './shelf.js'

/** What the four books say beside each other, with everything named on which they differ. */
export interface Verdict {
  readonly payments: number
  readonly refunds: number
  readonly lost: readonly Offender[]
  readonly doubled: readonly Offender[]
  readonly overRefunded: readonly Offender[]
  readonly stuck: readonly Offender[]
  readonly other: readonly Offender[]
  /** All balances of the journal together, in fen. */
  readonly bookSumFen: number
}

const CHECKS = [
  checkPayments,
  checkRefunds,
  checkSums,
  checkJournal,
  checkMessages,
  checkHistories,
  checkAnswers,
] as const

/** Compares loaded books with each other and with what the driver was told. */
export function judgeBooks(books: Books, expected: DrivenOrders): Verdict {
  const shelf = new Shelf(books, expected)
  const named = CHECKS.flatMap((check) => check(shelf))
  const found = named.length === 0 ? checkBalance(shelf) : named
  const inClass = (wanted: OffenceClass) => found.filter(({ kind }) => OFFENCES[kind] === wanted)
  return {
    payments: books.tables.payments.length,
    refunds: books.tables.refunds.length,
    lost: inClass('lost'),
    doubled: inClass('doubled'),
    overRefunded: inClass('overRefunded'),
    stuck: inClass('stuck'),
    other: inClass('other'),
    bookSumFen: bookSumFen(books.journal),
  }
}

/** Everybody who is wrong, the worst first. */
export const offendersOf = (verdict: Verdict): readonly Offender[] => [
  ...verdict.lost,
  ...verdict.doubled,
  ...verdict.overRefunded,
  ...verdict.stuck,
  ...verdict.other,
]

export const isClean = (verdict: Verdict): boolean =>
  offendersOf(verdict).length === 0 && verdict.bookSumFen === 0

import { setImmediate as nextTurn } from 'node:timers/promises'

import { paymentInstants } from './calendar.js'
import { addPayment } from './payment-rows.js'
import { drawEnding, tellPayment, type Ending, type PaymentStory } from './payment-story.js'
import { addRefund } from './refund-rows.js'
import { tellRefunds, tellSurplusRefund, type RefundStory } from './refund-story.js'
import { emptyBatch, type BatchRows } from './rows.js'
import type { Teller } from './shop.js'

const PAYMENTS_MAX = 1_000
const PAYMENTS_MIN = 50
/** A small book has this many batches too, and so as many seals. */
const BATCHES_LEAST = 20
export const REFUNDS_OF_PAYMENT_MAX = 20
/** One payment of so many is still open in the end, but a few of a book that has any size. */
const OPEN_SHARE = 20_000
const OPEN_LEAST = 3

/** So many are made up at a stretch: in between, the batch before is sent. */
const STRETCH = 50

export interface BookSize {
  readonly payments: number
  readonly refunds: number
  readonly days: number
}

export interface Batch {
  readonly rows: BatchRows
  /** Nothing in this batch happened later. */
  readonly endsAt: Date
}

/**
 * The whole book in the order in which it happened, a batch at a time. A refund stands in the batch
 * in which it ended, so that what is kept in memory is only the refunds under way.
 */
export async function* bookInBatches(teller: Teller, size: BookSize): AsyncGenerator<Batch> {
  const { payments, refunds, days } = size
  const stillOpen =
    payments < PAYMENTS_MIN ? 0 : Math.max(OPEN_LEAST, Math.trunc(payments / OPEN_SHARE))
  const { draw, until } = teller
  const instants = paymentInstants(draw, { count: payments, stillOpen, days, until })
  const perBatch = batchSize(payments)
  let underWay: RefundStory[] = []
  let refundsTold = 0
  for (let first = 0; first < payments; first += perBatch) {
    const count = Math.min(perBatch, payments - first)
    const last = first + count
    const refundsUntilHere = Math.round((refunds / payments) * last)
    const refundsHere = refundsUntilHere - refundsTold
    const stories: PaymentStory[] = []
    let surplus = 0
    for (const [index, at] of take(instants, count).entries()) {
      const drawn = endingOf(teller, first + index, { first, stillOpen, payments })
      // What comes late goes back, so it takes one of the refunds that were asked for.
      const ending = drawn === 'late' && surplus === refundsHere ? 'closed' : drawn
      if (ending === 'late') surplus += 1
      stories.push(tellPayment(teller, at, ending))
      if (index % STRETCH === 0) await nextTurn()
    }
    underWay.push(...tellRefundsOf(teller, stories, refundsHere - surplus))
    refundsTold = refundsUntilHere
    const endsAt = last === payments ? until : latest(stories)
    const ended = underWay.filter((refund) => refund.endedAt <= endsAt)
    underWay = underWay.filter((refund) => refund.endedAt > endsAt)
    yield { rows: await rowsOf(teller, stories, ended), endsAt }
  }
}

const batchSize = (payments: number): number =>
  Math.min(PAYMENTS_MAX, Math.max(PAYMENTS_MIN, Math.ceil(payments / BATCHES_LEAST)))

function take(instants: Generator<Date>, count: number): Date[] {
  return Array.from({ length: count }, () => {
    const next = instants.next()
    if (next.done === true) throw new RangeError('The calendar has fewer payments than the book.')
    return next.value
  })
}

/** The first payment of every batch is accepted, so that there is one to give back. */
function endingOf(
  { draw }: Teller,
  index: number,
  { first, stillOpen, payments }: { first: number; stillOpen: number; payments: number },
): Ending {
  if (index >= payments - stillOpen) return 'open'
  return index === first ? 'accepted' : drawEnding(draw)
}

function tellRefundsOf(
  teller: Teller,
  stories: readonly PaymentStory[],
  count: number,
): RefundStory[] {
  const accepted = stories.filter(({ disposition }) => disposition === 'accepted')
  const counts = accepted.map(() => 0)
  for (let left = count; left > 0; left -= 1) {
    const index = withRoom(counts, teller.draw.below(accepted.length))
    counts[index] = (counts[index] ?? 0) + 1
  }
  const late = stories.filter(({ disposition }) => disposition === 'surplus')
  return [
    ...accepted.flatMap((story, index) => tellRefunds(teller, story, counts[index] ?? 0)),
    ...late.map((story) => tellSurplusRefund(teller, story)),
  ]
}

/** The payment drawn, or the next one that can take another refund. */
function withRoom(counts: readonly number[], drawn: number): number {
  for (let step = 0; step < counts.length; step += 1) {
    const index = (drawn + step) % counts.length
    if ((counts[index] ?? 0) < REFUNDS_OF_PAYMENT_MAX) return index
  }
  throw new RangeError('There are more refunds than payments can take.')
}

const latest = (stories: readonly PaymentStory[]): Date =>
  stories.reduce((most, { updatedAt }) => (updatedAt > most ? updatedAt : most), new Date(0))

async function rowsOf(
  teller: Teller,
  payments: readonly PaymentStory[],
  refunds: readonly RefundStory[],
): Promise<BatchRows> {
  const rows = emptyBatch()
  for (const [index, payment] of payments.entries()) {
    addPayment(rows, teller, payment)
    if (index % STRETCH === 0) await nextTurn()
  }
  for (const [index, refund] of refunds.entries()) {
    addRefund(rows, teller, refund)
    if (index % STRETCH === 0) await nextTurn()
  }
  return rows
}

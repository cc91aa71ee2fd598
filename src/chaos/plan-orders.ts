import type { Draw } from '../cli/seed/draw.js'
import type { PlannedOrder, PlannedRefund } from './plan.js'

const AMOUNT_FEN = { least: 200, most: 30_000 }
const LEAVES_PER_MILLE = 70
const REJECTED_PER_MILLE = 150
const TURNS_OF_FIRST_ORDERS = ['one_part', 'whole', 'greedy', 'parts', 'none'] as const

type Turn = (typeof TURNS_OF_FIRST_ORDERS)[number]

const WEIGHTS: Readonly<Record<Turn, number>> = {
  none: 25,
  whole: 25,
  one_part: 20,
  parts: 20,
  greedy: 10,
}

/** What the buyer and the shop do; the first orders are one of each, so that small plans tell. */
export function planOrder(draw: Draw, seed: number, n: number): PlannedOrder {
  const turn = TURNS_OF_FIRST_ORDERS[n] ?? draw.weighted(WEIGHTS)
  const amountFen = draw.between(AMOUNT_FEN.least, AMOUNT_FEN.most)
  const leaves = n >= TURNS_OF_FIRST_ORDERS.length && draw.happens(LEAVES_PER_MILLE)
  const refunds = refundsOf(draw, turn, amountFen)
  return {
    n,
    outTradeNo: `chaos-${seed}-${n}`,
    amountFen,
    buyer: leaves ? 'leaves' : 'pays',
    refunds: leaves ? [] : refunds,
    isGreedy: !leaves && turn === 'greedy',
    portal: undefined,
    faults: [],
  }
}

function refundsOf(draw: Draw, turn: Turn, amountFen: number): PlannedRefund[] {
  if (turn === 'none') return []
  if (turn === 'whole') return [refund(draw, amountFen)]
  if (turn === 'one_part') return [refund(draw, draw.between(1, amountFen - 1))]
  if (turn === 'greedy') return greedy(draw, amountFen)
  return parts(draw, amountFen)
}

/** Two or three parts that leave something over. */
function parts(draw: Draw, amountFen: number): PlannedRefund[] {
  const count = draw.between(2, 3)
  const mostFen = Math.floor(amountFen / (count + 1))
  return Array.from({ length: count }, () => refund(draw, draw.between(1, mostFen)))
}

/** Any two of them are more than was paid, so that all but one have to be refused. */
function greedy(draw: Draw, amountFen: number): PlannedRefund[] {
  const leastFen = Math.floor(amountFen / 2) + 1
  return Array.from({ length: 2 }, () => ({
    amountFen: draw.between(leastFen, amountFen),
    decision: 'approve',
    faults: [],
  }))
}

const refund = (draw: Draw, amountFen: number): PlannedRefund => ({
  amountFen,
  decision: draw.happens(REJECTED_PER_MILLE) ? 'reject' : 'approve',
  faults: [],
})

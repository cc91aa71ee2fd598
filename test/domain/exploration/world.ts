import type { RefundStatus } from '../../../src/domain/channel.js'
import type { Principal } from '../../../src/domain/refund.js'
import type {
  Disposition,
  PaymentState,
  RefundCause,
  RefundOrigin,
  RefundState,
} from '../../../src/domain/states.js'
import type { Transfer } from '../../../src/ledger/postings.js'

/**
 * The world that is explored: one payment of two fen, up to three refunds of one or two fen, what
 * the channel really did (`truth`), the counters as the trigger keeps them, and the book. Nothing
 * in it changes; a message makes another one.
 */
export interface World {
  readonly payment: PaymentPart
  readonly refunds: readonly RefundPart[]
  readonly counters: Counters
  /** Credits less debits of each kind of account, in fen. */
  readonly book: Readonly<Record<string, number>>
  /** Another payment of the same order is accepted. */
  readonly orderPaid: boolean
}

export interface Counters {
  readonly reserved: number
  readonly refunded: number
  readonly settled: number
  readonly over: number
}

/** What the buyer really paid at the channel; `closed` and `open` are orders nobody paid. */
export type OrderTruth = 'none' | 'open' | 'closed' | 'exact' | 'short' | 'dollars'

export interface PaymentPart {
  readonly state: PaymentState
  readonly disposition: Disposition | null
  readonly paidFen: number | null
  readonly transactionId: string | null
  readonly truth: OrderTruth
}

export type Who = 'asker' | 'other' | 'third' | 'operator' | 'deadline' | 'policy'

export interface RefundPart {
  /** A refund of the portal is `unseen` until a question shows it. */
  readonly state: RefundState | 'unseen'
  readonly origin: RefundOrigin
  readonly amountFen: number
  /** Why it needs a person; null in every other state. */
  readonly cause: RefundCause | null
  /** What we know of having sent it: not yet, definitely refused, no answer, or taken. */
  readonly sent: 'no' | 'refused' | 'maybe' | 'accepted'
  /** What the channel did with it. */
  readonly truth: 'none' | RefundStatus
  readonly inTransit: boolean
  readonly reminded: boolean
  readonly escalated: boolean
  readonly firstApprover: Who | null
  /** Who said first that it was given back by other means. */
  readonly proposer: Who | null
  /** A day has passed since it was last sent. */
  readonly isOld: boolean
  /** Another refund with a number of its own stands for it. */
  readonly isRenewed: boolean
}

export const TOTAL_FEN = 2
export const PARTIES = { accountId: 'a', merchantId: 'm' }
export const NOW = new Date('2026-03-03T00:00:00Z')
export const YESTERDAY = new Date(NOW.getTime() - 25 * 3_600_000)
export const REFUNDS_MAX = 3

export const FIRST_WORLD: World = {
  payment: {
    state: 'created',
    disposition: null,
    paidFen: null,
    transactionId: null,
    truth: 'none',
  },
  refunds: [],
  counters: { reserved: 0, refunded: 0, settled: 0, over: 0 },
  book: {},
  orderPaid: false,
}

export const newRefund = (
  of: Pick<RefundPart, 'state' | 'origin' | 'amountFen'> & Partial<RefundPart>,
): RefundPart => ({
  cause: null,
  sent: 'no',
  truth: 'none',
  inTransit: false,
  reminded: false,
  escalated: false,
  firstApprover: null,
  proposer: null,
  isOld: false,
  isRenewed: false,
  ...of,
})

/** Two people hold a key each; the third person uses the key of the second. */
export const PRINCIPALS: Readonly<Record<Who, Principal>> = {
  asker: { kind: 'api_key', id: 'key-1', actingUser: 'Li' },
  other: { kind: 'api_key', id: 'key-2', actingUser: 'Wang' },
  third: { kind: 'api_key', id: 'key-3', actingUser: 'Chen' },
  operator: { kind: 'temporal-operator', id: 'temporal', actingUser: 'temporal' },
  deadline: { kind: 'deadline', id: 'policy:1', actingUser: 'deadline' },
  policy: { kind: 'policy', id: 'policy:1', actingUser: 'policy' },
}

/**
 * The same world for every order in which its refunds were made, because they have no names, and
 * for whatever cannot matter any more.
 */
export function canonical(seen: World): { readonly key: string; readonly world: World } {
  const world = withoutPast(seen)
  const named = world.refunds.map((refund) => ({ refund, name: nameOfRefund(refund) }))
  named.sort((one, two) => (one.name < two.name ? -1 : one.name > two.name ? 1 : 0))
  const { payment, counters, book, orderPaid } = world
  const accounts = Object.keys(book)
    .filter((name) => book[name] !== 0)
    .toSorted()
  const key = [
    Object.values(payment).join(','),
    Object.values(counters).join(','),
    accounts.map((name) => `${name}=${book[name]}`).join(','),
    orderPaid,
    ...named.map(({ name }) => name),
  ].join(' | ')
  return { key, world: { ...world, refunds: named.map(({ refund }) => refund) } }
}

function withoutPast(world: World): World {
  const refunds = world.refunds.map((refund) => withoutItsPast(refund, world.refunds.length))
  const { disposition, truth } = world.payment
  if (disposition !== 'accepted' && disposition !== 'surplus') return { ...world, refunds }
  // Once money is accepted or goes back nobody asks what else was paid, or in which currency.
  const paidTruth = truth === 'dollars' ? 'exact' : truth
  const payment = { ...world.payment, transactionId: 't1', truth: paidTruth } as const
  return { ...world, refunds, payment, orderPaid: false }
}

/**
 * How a refund came to its end, and what it was about where nothing of it counts any more. Beside
 * other refunds it makes no difference which way it ended; alone, every way is looked at. What
 * must never be (an end that the channel knows nothing of) stays as it is, so that it is seen.
 */
function withoutItsPast(refund: RefundPart, count: number): RefundPart {
  const { state, origin, sent, truth, isRenewed } = refund
  const isWith = truth === 'processing' || truth === 'success'
  const isAlone = count === 1
  switch (state) {
    case 'rejected':
    case 'cancelled':
    case 'expired':
      if (origin !== 'api' || truth !== 'none' || sent !== 'no') return refund
      return { ...refund, amountFen: 1, state: isAlone ? state : 'expired' }
    case 'failed':
      if (isWith) return refund
      if (!isRenewed && isAlone) return truth === 'closed' ? { ...refund, sent: 'no' } : refund
      return { ...refund, ...CLOSED, amountFen: isRenewed ? 1 : refund.amountFen }
    case 'settled':
      return isAlone || isWith ? refund : { ...refund, sent: 'accepted', truth: 'abnormal' }
    case 'done':
      return refund.sent === 'accepted' ? refund : { ...refund, sent: 'accepted' }
    case 'pending':
      // Beside two others a deadline closes at once; its other steps are looked at beside one.
      return count === REFUNDS_MAX ? { ...refund, reminded: true, escalated: true } : refund
    default:
      return refund
  }
}

const CLOSED = { sent: 'no', truth: 'closed', isOld: false } as const

const names = new WeakMap<RefundPart, string>()

function nameOfRefund(refund: RefundPart): string {
  const known = names.get(refund)
  if (known !== undefined) return known
  const name = [
    refund.state,
    refund.origin,
    refund.amountFen,
    refund.cause,
    refund.sent,
    refund.truth,
    refund.inTransit,
    refund.reminded,
    refund.escalated,
    refund.firstApprover,
    refund.proposer,
    refund.isOld,
    refund.isRenewed,
  ].join(',')
  names.set(refund, name)
  return name
}

/** The book after these transfers, by kind of account. */
export function posted(book: World['book'], transfers: readonly Transfer[]): World['book'] {
  if (transfers.length === 0) return book
  const next = { ...book }
  for (const { debit, credit, amountFen } of transfers) {
    const [from, to] = [kindOf(debit), kindOf(credit)]
    next[from] = (next[from] ?? 0) - amountFen
    next[to] = (next[to] ?? 0) + amountFen
  }
  return next
}

const kindOf = (account: string): string => account.split(':', 1)[0] ?? account

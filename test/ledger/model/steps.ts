import { isSent, the, type Answer, type Book, type Moment, type QueryAnswer } from './book.js'
import type { Command, Of } from './commands.js'
import * as payments from './payments.js'
import { bookPortal } from './portal.js'
import * as refunds from './refunds.js'

/** What a command has seen so far. */
export interface Local {
  state?: string
  cause?: string | null
  submits?: number
  next?: string
  isConfirmed?: boolean
}

/**
 * A transaction or a read of the real command, done to the model. It answers when the command is
 * over; between two steps of one command others may come.
 */
export type Step = (book: Book, local: Local, moment: Moment) => Answer | undefined

/** What moves the row as it was read; one that is odd is moved by what is not so, too. */
function isNews(query: QueryAnswer, { state = '', cause = null }: Local): boolean {
  if (!isSent(state) || query === 'processing') return false
  if (query.startsWith('success')) return cause !== 'beyond_paid'
  const isOdd = cause === 'amount_differs' || cause === 'beyond_paid'
  return query === 'closed' || state === 'refunding' || isOdd
}

/** A command reads the row before it does anything. */
function look(book: Book, refundId: string, local: Local): void {
  const { state, cause, submits } = the(book.refunds, refundId)
  Object.assign(local, { state, cause, submits })
}

const atOnce = (work: (book: Book, moment: Moment) => Answer | void): readonly Step[] => [
  (book, _, moment) => work(book, moment) ?? 'returned',
]

type Steps = { readonly [Kind in Command['kind']]: (command: Of<Kind>) => readonly Step[] }

const STEPS: Steps = {
  create: ({ id, orderRef, totalFen }) =>
    atOnce((book) => payments.createPayment(book, id, orderRef, totalFen)),
  place: ({ paymentId, answer }) => [
    (book, _, moment) => (payments.wantsPlacing(book, paymentId, moment) ? undefined : 'returned'),
    (book, _, moment) => {
      payments.recordPlaced(book, paymentId, answer, moment)
      return answer === 'closed' ? undefined : 'returned'
    },
    (book, _, moment) => {
      payments.settlePayment(book, paymentId, moment)
      return 'returned'
    },
  ],
  'notify payment': ({ paymentId, what }) =>
    atOnce((book) => payments.storePaymentFact(book, paymentId, what, 'notify')),
  'expire payment': ({ paymentId, answer }) => [
    (book) => (payments.isPaymentOpen(book, paymentId) ? undefined : 'returned'),
    (book) => {
      payments.storePaymentFact(book, paymentId, answer, 'query')
      return 'returned'
    },
  ],
  'settle payment': ({ paymentId }) =>
    atOnce((book, moment) => payments.settlePayment(book, paymentId, moment)),
  'decide held': ({ paymentId, word }) => [
    (book) => (the(book.payments, paymentId).disposition === 'held' ? undefined : 'not held'),
    (book) => {
      payments.storePaymentFact(book, paymentId, word, 'manual')
      return 'returned'
    },
  ],
  request: ({ key, ...wanted }) => atOnce((book) => refunds.requestRefund(book, wanted, key)),
  decide: ({ refundId, verb, who }) => [
    (book) => {
      refunds.recordDecision(book, refundId, verb, who)
      return undefined
    },
    (book) => refunds.applyDecision(book, refundId, verb, who),
  ],
  'approve in Temporal': ({ refundId }) =>
    atOnce((book, moment) => refunds.approveByOperator(book, refundId, moment)),
  'expire refund': ({ refundId }) => atOnce((book) => refunds.expireRefund(book, refundId)),
  send: ({ refundId, submit, query }) => [
    (book, local) => {
      look(book, refundId, local)
      return undefined
    },
    (book, local, moment) => {
      local.next = refunds.claimStep(book, refundId, moment)
      if (local.next === 'nothing') return 'returned'
      return ['submit', 'query'].includes(local.next) ? undefined : local.next
    },
    (book, local, moment) => {
      if (local.next === 'submit') return refunds.recordSubmitted(book, refundId, submit, moment)
      if (!isNews(query, local)) return refunds.countQuery(book, refundId, moment)
      const { submits = 0 } = local
      const stored = refunds.storeQueried(book, refundId, query, submits)
      return stored === 'news' ? 'returned' : undefined
    },
    // What was applied before moves nothing again.
    (book, _, moment) => refunds.countQuery(book, refundId, moment),
  ],
  'notify refund': ({ refundId, what }) =>
    atOnce((book) => refunds.storeNotified(book, refundId, what)),
  confirm: ({ refundId, query }) => [
    (book, local) => {
      look(book, refundId, local)
      return undefined
    },
    (book, local) => {
      // One who has asked already has the channel's own word.
      const asks = isSent(local.state ?? '') && !refunds.isQueried(book, refundId)
      local.next = asks ? 'query' : 'settle'
      return asks && query === 'processing' ? 'NOT_CONFIRMED' : undefined
    },
    (book, local) => {
      const { next, submits = 0 } = local
      const isAsked = next === 'query'
      local.isConfirmed =
        isAsked && refunds.storeQueried(book, refundId, query, submits) === 'known'
      return undefined
    },
    (book, { isConfirmed }, moment) => refunds.settleRefund(book, refundId, moment, isConfirmed),
  ],
  'settle refund': ({ refundId }) =>
    atOnce((book, moment) => refunds.settleRefund(book, refundId, moment)),
  portal: ({ what, ...refund }) => atOnce((book, moment) => bookPortal(book, refund, what, moment)),
}

export function stepsOf<Kind extends Command['kind']>(command: Of<Kind>): readonly Step[] {
  const steps: (of: Of<Kind>) => readonly Step[] = STEPS[command.kind]
  return steps(command)
}

import {
  isSent,
  the,
  type Answer,
  type Book,
  type Moment,
  type QueryAnswer,
  type Said,
} from './book.js'
import type { Command, Of } from './commands.js'
import * as decisions from './decisions.js'
import * as payments from './payments.js'
import { bookPortal } from './portal.js'
import * as refunds from './refunds.js'
import * as resolutions from './resolutions.js'

/** What a command has seen so far. */
export interface Local {
  state?: string
  cause?: string | null
  submits?: number
  next?: string
  isConfirmed?: boolean
  isInTransit?: boolean
  /** The version of the merchant's rules that was the newest. */
  version?: number
  /** The place of a decision. */
  place?: number
  refusal?: string
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
  const { state, cause, submits, isInTransit } = the(book.refunds, refundId)
  Object.assign(local, { state, cause, submits, isInTransit })
}

const looks =
  (refundId: string): Step =>
  (book, local) => {
    look(book, refundId, local)
    return undefined
  }

/** What rules are the newest is read under the payment's lock, which does not keep them so. */
const readRules: Step = (book, local) => {
  local.version = book.policies.length
  return undefined
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
  request: ({ key, id, paymentId, amountFen, shipped }) => [
    readRules,
    (book, { version = 0 }, moment) => {
      const wanted = { id, paymentId, amountFen, shipped, requester: 'asker' } as const
      return refunds.requestOnce(book, wanted, key, version, moment)
    },
  ],
  policy: ({ policy }) =>
    atOnce((book) => {
      book.policies = [...book.policies, policy]
      return `version ${book.policies.length}`
    }),
  decide: ({ refundId, verb, who }) => [
    (book, local) => {
      local.place = decisions.recordDecision(book, refundId, verb, who)
      return undefined
    },
    readRules,
    (book, { place = 0, version = 0 }, moment) =>
      decisions.applyDecision(book, refundId, place, version, moment),
  ],
  'approve in Temporal': ({ refundId }) => [
    readRules,
    (book, { version = 0 }, moment) => decisions.approveByOperator(book, refundId, version, moment),
  ],
  'expire refund': ({ refundId }) => [
    readRules,
    (book, { version = 0 }) => decisions.expireRefund(book, refundId, version),
  ],
  retry: (command) => tryAgain(command),
  settle: (command) => resolve('settle', command),
  fail: (command) => resolve('fail', command),
  send: ({ refundId, submit, query }) => [
    looks(refundId),
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
    looks(refundId),
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

/** The same number again, or a new one where the channel has closed the old one for good. */
function tryAgain({ refundId, who, says }: Of<'retry'>): readonly Step[] {
  return [
    looks(refundId),
    (book, { state = '' }) => {
      if (state === 'failed') {
        return resolutions.renewalOf(book, refundId) === undefined ? undefined : 'renewed before'
      }
      return TRIED_AGAIN.includes(state) ? undefined : 'refund_state_conflict'
    },
    (book, { state }, moment) => {
      if (state !== 'failed') {
        const outcome = resolutions.retry(book, refundId, who, moment)
        return outcome === 'state_conflict' ? 'refund_state_conflict' : `retried ${outcome}`
      }
      const outcome = resolutions.allowRenewal(book, refundId, who, says, moment)
      return outcome === 'applied' ? undefined : resolutions.answerOf(outcome)
    },
    readRules,
    (book, local, moment) => {
      const { version = 0 } = local
      local.refusal = resolutions.renew(book, refundId, who, version, moment)
      return local.refusal === 'requested' ? 'renewed applied' : undefined
    },
    // Where somebody else was faster, that request stands.
    (book, { refusal = '' }) =>
      resolutions.renewalOf(book, refundId) === undefined ? refusal : 'renewed applied',
  ]
}

const TRIED_AGAIN = ['approved', 'refunding', 'needs_attention']

/** How it ended, as a person says; what the channel says meanwhile counts first. */
function resolve(
  verb: 'settle' | 'fail',
  { refundId, who, says }: Of<'settle'> | Of<'fail'>,
): readonly Step[] {
  return [
    looks(refundId),
    (book, { state }) => {
      const isWaiting = verb === 'settle' && state === 'needs_attention'
      const isOwn = isWaiting && resolutions.isOwnProposal(book, refundId, who)
      return isOwn ? 'awaiting_second before' : undefined
    },
    looks(refundId),
    (book, local) => {
      if (isForBook(says, local)) {
        refunds.storeQueried(book, refundId, says, local.submits ?? 0)
      }
      return undefined
    },
    (book, local, moment) => {
      if (isForBook(says, local)) refunds.settleRefund(book, refundId, moment)
      return undefined
    },
    (book, _, moment) =>
      resolutions.answerOf(resolutions.resolve(book, refundId, { verb, who, said: says }, moment)),
  ]
}

/** A success wins over what a person says, and only the channel moves what is in transit. */
const isForBook = (says: Said, local: Local): says is QueryAnswer =>
  says !== 'silence' &&
  says !== 'unknown number' &&
  isNews(says, local) &&
  (says.startsWith('success') || local.isInTransit === true)

export function stepsOf<Kind extends Command['kind']>(command: Of<Kind>): readonly Step[] {
  const steps: (of: Of<Kind>) => readonly Step[] = STEPS[command.kind]
  return steps(command)
}

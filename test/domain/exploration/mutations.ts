import type { ApprovalBounds, Principal } from '../../../src/domain/refund.js'
import type { Edge, Mover } from '../../../src/domain/states.js'
import { RULES, type Rules } from './rules.js'
import { FORBIDDEN_MOVE } from './trial.js'

/** A table or a rule that is broken on purpose, and what has to be found because of it. */
export interface Mutation {
  readonly what: string
  readonly rules: Partial<Rules>
  readonly finds: string
}

type Edges<S extends string> = Readonly<Record<S, readonly Edge<S>[]>>

const added = <S extends string>(edges: Edges<S>, from: S, to: S, by: Mover): Edges<S> => ({
  ...edges,
  [from]: [...edges[from], { to, by, why: 'broken on purpose' }],
})

const removed = <S extends string>(edges: Edges<S>, from: S, to: S): Edges<S> => ({
  ...edges,
  [from]: edges[from].filter((edge) => edge.to !== to),
})

const {
  refundEdges,
  paymentEdges,
  refundEffect,
  refundBeginnings,
  judgeDecision,
  judgePayment,
  judgeRefundInBook,
  judgeResolution,
  proofOf,
} = RULES

/** The rule of decisions as somebody with other bounds would hear it. */
const decidedWith =
  (changed: Partial<ApprovalBounds>, by: Partial<Principal> = {}): Rules['judgeDecision'] =>
  (terms, verb, principal, bounds) =>
    judgeDecision(terms, verb, { ...principal, ...by }, { ...bounds, ...changed })

const STRANGER = { id: 'nobody', actingUser: 'nobody' }

const TABLES: readonly Mutation[] = [
  {
    what: 'what is done can be sent again',
    rules: { refundEdges: added(refundEdges, 'done', 'refunding', 'person') },
    finds: 'an ended state that is left',
  },
  {
    what: 'what was rejected can be approved after all',
    rules: { refundEdges: added(refundEdges, 'rejected', 'approved', 'person') },
    finds: 'an ended state that is left',
  },
  {
    what: 'what is paid can be closed',
    rules: { paymentEdges: added(paymentEdges, 'paid', 'closed', 'channel') },
    finds: 'paid money that is not paid any more',
  },
  {
    what: 'time makes an order paid',
    rules: { paymentEdges: added(paymentEdges, 'created', 'paid', 'time') },
    finds: 'paid without money',
  },
  {
    what: 'what was sent can be cancelled',
    rules: { refundEdges: added(refundEdges, 'refunding', 'cancelled', 'person') },
    finds: 'stopped after it was sent',
  },
  {
    what: 'what was sent can go back to its approval',
    rules: { refundEdges: added(refundEdges, 'refunding', 'approved', 'person') },
    finds: 'sent without being approved',
  },
  {
    what: 'nobody has to approve',
    rules: { refundEdges: added(refundEdges, 'pending', 'refunding', 'engine') },
    finds: 'sent without anybody having approved it',
  },
  {
    what: 'a person calls it done',
    rules: { refundEdges: added(refundEdges, 'refunding', 'done', 'person') },
    finds: "done without the channel's word",
  },
  {
    what: 'a person calls it failed',
    rules: { refundEdges: added(refundEdges, 'refunding', 'failed', 'person') },
    finds: 'free again while the channel gives it back',
  },
  {
    what: 'what is on its way can be settled otherwise',
    rules: { refundEdges: added(refundEdges, 'refunding', 'settled', 'person') },
    finds: 'given back twice: by the channel and by other means',
  },
  {
    what: 'what the channel closed has nowhere to go',
    rules: { refundEdges: removed(refundEdges, 'refunding', 'failed') },
    finds: FORBIDDEN_MOVE,
  },
  {
    what: 'late money has nowhere to go',
    rules: { paymentEdges: removed(paymentEdges, 'closed', 'paid') },
    finds: FORBIDDEN_MOVE,
  },
  {
    what: 'what failed stays reserved',
    rules: { refundEffect: { ...refundEffect, failed: 'reserved' } },
    finds: 'an amount that is reserved after its refund has ended',
  },
  {
    what: 'what is approved is not reserved',
    rules: { refundEffect: { ...refundEffect, approved: 'none' } },
    finds: 'an amount that is not reserved while it is due',
  },
  {
    what: 'what waits is not reserved',
    rules: { refundEffect: { ...refundEffect, pending: 'none' } },
    finds: 'more spoken for than paid, and no case',
  },
  {
    what: 'what is done counts for nothing',
    rules: { refundEffect: { ...refundEffect, done: 'none' } },
    finds: 'a refund that counts twice or not at all',
  },
  {
    what: 'what waits is not reserved, and what is rejected counts as given back',
    rules: { refundEffect: { ...refundEffect, pending: 'none', rejected: 'refunded' } },
    finds: 'refunded above paid',
  },
  {
    what: 'what a caller asks for begins approved',
    rules: { refundBeginnings: { ...refundBeginnings, api: ['approved'] } },
    finds: 'asked for by a caller and approved at once',
  },
  {
    what: 'a refund of surplus money cannot begin',
    rules: { refundBeginnings: { ...refundBeginnings, system: [] } },
    finds: 'surplus money that nobody gives back',
  },
]

const DECISIONS: readonly Mutation[] = [
  {
    what: 'who asked is not compared',
    rules: {
      judgeDecision: (terms, verb, principal, bounds) =>
        judgeDecision({ ...terms, requestedBy: null, requestedFor: '' }, verb, principal, bounds),
    },
    finds: 'approved by who asked',
  },
  {
    what: 'one is enough where two are asked for',
    rules: { judgeDecision: decidedWith({ approvalsNeeded: 1 }) },
    finds: 'approved by fewer people than it needs',
  },
  {
    what: 'the second may be the first',
    rules: { judgeDecision: decidedWith({}, STRANGER) },
    finds: 'approved by fewer people than it needs',
  },
  {
    what: 'an operator has no limit',
    rules: { judgeDecision: decidedWith({ operatorLimitFen: 1_000, approvalsNeeded: 1 }) },
    finds: 'an operator approved more than the limit',
  },
  {
    what: 'a day has no limit',
    rules: { judgeDecision: decidedWith({ dayLeftFen: null }) },
    finds: 'approved beyond the limit of the day',
  },
  {
    what: 'one person settles',
    rules: {
      judgeResolution: (verb, proof, terms) =>
        judgeResolution(verb, proof, { ...terms, proposer: STRANGER }),
    },
    finds: 'settled by one person',
  },
  {
    what: 'settling needs no proof',
    rules: {
      judgeResolution: (verb, _proof, terms) => judgeResolution(verb, 'returned', terms),
    },
    finds: 'given back twice: by the channel and by other means',
  },
  {
    what: 'silence is taken for a no',
    rules: {
      proofOf: (outcome, history, now) =>
        outcome.kind === 'unknown' ? 'never_taken' : proofOf(outcome, history, now),
    },
    finds: 'free again while the channel gives it back',
  },
  {
    what: 'what is not known yet is taken for never taken',
    rules: {
      proofOf: (outcome, history, now) =>
        proofOf(outcome, { ...history, maybeTaken: false, acceptedAt: null }, now),
    },
    finds: 'free again while the channel gives it back',
  },
  {
    what: 'abnormal is called failed, and tried again under a new number',
    rules: {
      judgeRefundInBook: (refund, fact, given) => {
        const verdict = judgeRefundInBook(refund, fact, given)
        const isAbnormal = verdict.kind === 'move' && verdict.cause === 'abnormal'
        return isAbnormal ? { kind: 'move', to: 'failed', cause: null } : verdict
      },
      judgeResolution: (verb, _proof, terms) => judgeResolution(verb, 'closed', terms),
    },
    finds: 'tried again while it may still come',
  },
]

const FACTS: readonly Mutation[] = [
  {
    what: 'accepted is taken for refunded',
    rules: {
      judgeRefundInBook: (refund, fact, given) =>
        judgeRefundInBook(refund, { ...fact, status: 'success' }, given),
    },
    finds: "done without the channel's word",
  },
  {
    what: 'a refund goes although more is spoken for than was paid',
    rules: { isSendable: () => true },
    finds: 'sent although more is spoken for than was paid',
  },
  {
    what: 'amounts are not compared',
    rules: {
      judgePayment: (terms, fact) =>
        judgePayment(fact.kind === 'paid' ? { ...terms, totalFen: fact.totalFen } : terms, fact),
    },
    finds: 'money that differs is accepted',
  },
  {
    what: 'what is booked is what was ordered',
    rules: {
      judgePayment: (terms, fact) => {
        const verdict = judgePayment(terms, fact)
        if (verdict.kind !== 'pay') return verdict
        const totalFen = terms.totalFen as typeof verdict.fact.totalFen
        return { ...verdict, fact: { ...verdict.fact, totalFen, settlementFen: totalFen } }
      },
    },
    finds: 'an amount that is not what came',
  },
  {
    what: 'nobody looks whether the order is paid already',
    rules: { judgePayment: (terms, fact) => judgePayment({ ...terms, orderPaid: false }, fact) },
    finds: 'an order is paid by two payments',
  },
  {
    what: 'what was decided about held money is decided again',
    rules: {
      judgePayment: (terms, fact) =>
        judgePayment(fact.kind === 'resolve' ? { ...terms, disposition: 'held' } : terms, fact),
    },
    finds: 'what became of money changes',
  },
  {
    what: 'held money is accepted although the portal gave a part of it back',
    rules: { judgePayment: (terms, fact) => judgePayment({ ...terms, spokenFen: 0 }, fact) },
    finds: 'money without the posting that belongs to it',
  },
  ...(
    ['postPaid', 'postHeld', 'postAccepted', 'postDone', 'postReturned', 'postAdopted'] as const
  ).map((name): Mutation => ({
    what: `${name} posts nothing`,
    rules: { [name]: () => [] },
    finds: 'money without the posting that belongs to it',
  })),
  {
    what: 'settling otherwise posts nothing',
    rules: { postSettledOtherwise: () => [] },
    finds: 'money without the posting that belongs to it',
  },
]

export const MUTATIONS: readonly Mutation[] = [...TABLES, ...DECISIONS, ...FACTS]

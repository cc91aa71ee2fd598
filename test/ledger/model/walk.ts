import type { Said, Verb } from './book.js'
import type { Command, Draft } from './commands.js'
import type { Who } from './people.js'
import { fixed } from './plans.js'
import type { Policy } from './policies.js'

type Step = readonly [draft: Draft, answer: string]

const on = (refund: number, make: (refundId: string) => Command, answer: string): Step => {
  const draft = fixed('refund', refund, make)
  return [draft, `${make('').kind}: ${answer}`]
}

const resolving =
  (kind: 'retry' | 'settle' | 'fail') =>
  (refund: number, who: Who, says: Said, answer: string): Step =>
    on(refund, (refundId) => ({ kind, refundId, who, says }), answer)

const [retry, settle, fail] = [resolving('retry'), resolving('settle'), resolving('fail')]

const decide = (refund: number, who: Who, answer: string, verb: Verb = 'approve'): Step =>
  on(refund, (refundId) => ({ kind: 'decide', refundId, verb, who }), answer)

const operator = (refund: number, answer: string): Step =>
  on(refund, (refundId) => ({ kind: 'approve in Temporal', refundId }), answer)

const expire = (refund: number, answer: string): Step =>
  on(refund, (refundId) => ({ kind: 'expire refund', refundId }), answer)

const refuse = (refund: number): Step => {
  const said = { submit: 'refused', query: 'processing' } as const
  return on(refund, (refundId) => ({ kind: 'send', refundId, ...said }), 'returned')
}

const request = (
  payment: number,
  amountFen: number,
  { shipped = null, answer = 'requested ' }: { shipped?: boolean | null; answer?: string } = {},
): Step => {
  const make = (paymentId: string, key: string): Command => {
    return { kind: 'request', id: '', paymentId, amountFen, shipped, key }
  }
  return [
    { ...fixed('payment', payment, (id) => make(id, '')), make: ({ id, key }) => make(id, key) },
    `request: ${answer}`,
  ]
}

const policy = (of: Partial<Policy>): Step => {
  const whole: Policy = {
    rules: [{ upToFen: null, withinDays: null, shipped: null, approvals: 1 }],
    dayLimitFen: null,
    personDayLimitFen: null,
    isSpaced: false,
    atDeadline: 'escalate',
    approveUpToFen: null,
    ...of,
  }
  return [fixed('nothing', 0, () => ({ kind: 'policy', policy: whole })), 'policy: version ']
}

const rule = (approvals: 0 | 1 | 2, upToFen: number | null = null) => {
  return { upToFen, withinDays: null, shipped: null, approvals }
}

/** A refund that the channel has closed, under a number that is over. */
const CLOSED: readonly Step[] = [
  retry(1, 'asker', 'processing', 'refund_still_processing'),
  retry(1, 'asker', 'silence', 'channel_silent'),
  retry(1, 'asker', 'abnormal', 'refund_still_owed'),
  retry(1, 'asker', 'unknown number', 'refund_not_proved'),
  retry(1, 'asker', 'success', 'refund_state_conflict'),
  request(1, 900),
  retry(1, 'asker', 'closed', 'refund_exceeds_payment'),
  decide(2, 'asker', 'cancelled, applied', 'cancel'),
  retry(1, 'approver', 'closed', 'renewed applied'),
  retry(1, 'second', 'closed', 'renewed before'),
  // Who wants the new one has asked for it, whoever asked for the old one.
  decide(3, 'approver', 'pending, same_principal'),
  decide(3, 'approver by another key', 'pending, same_principal'),
  decide(3, 'asker', 'approved, applied'),
  retry(3, 'asker', 'closed', 'retried asked_again'),
]

/** A refund that the channel has refused, so that it knows no such number. */
const REFUSED: readonly Step[] = [
  settle(0, 'asker', 'processing', 'refund_still_processing'),
  settle(0, 'asker', 'silence', 'channel_silent'),
  settle(0, 'asker', 'unknown number', 'awaiting_second'),
  settle(0, 'asker', 'unknown number', 'awaiting_second before'),
  settle(0, 'asker by another key', 'unknown number', 'awaiting_second before'),
  retry(0, 'asker', 'silence', 'retried applied'),
  settle(0, 'second', 'unknown number', 'refund_state_conflict'),
  refuse(0),
  // What was said before it was sent again was said of another try.
  settle(0, 'approver', 'closed', 'awaiting_second'),
  settle(0, 'asker', 'closed', 'second_person_required'),
  settle(0, 'second', 'closed', 'applied'),
  settle(0, 'second', 'closed', 'refund_state_conflict'),
  retry(0, 'second', 'closed', 'refund_state_conflict'),
  on(0, (refundId) => ({ kind: 'notify refund', refundId, what: 'success' }), 'returned'),
  on(0, (refundId) => ({ kind: 'settle refund', refundId }), 'settled null'),
  request(2, 100),
  decide(4, 'approver', 'approved, applied'),
  refuse(4),
  fail(4, 'approver', 'abnormal', 'refund_still_owed'),
  fail(4, 'approver', 'unknown number', 'applied'),
  retry(4, 'asker', 'unknown number', 'renewed applied'),
  operator(5, 'approved, applied'),
]

const TWO_PEOPLE: readonly Step[] = [
  policy({ rules: [rule(0, 50), rule(2)] }),
  request(2, 60),
  decide(6, 'asker', 'pending, same_principal'),
  decide(6, 'approver', 'pending, first_of_two'),
  decide(6, 'approver', 'pending, first_of_two'),
  decide(6, 'approver by another key', 'pending, same_principal'),
  decide(6, "another by the approver's key", 'pending, same_principal'),
  operator(6, 'pending, operator_not_second'),
  decide(6, 'second', 'approved, applied'),
  request(2, 50),
  decide(7, 'approver', 'approved, already_decided'),
]

const LIMITS: readonly Step[] = [
  policy({
    dayLimitFen: 100,
    personDayLimitFen: 60,
    atDeadline: 'approve',
    approveUpToFen: 100,
  }),
  request(2, 120),
  decide(8, 'approver', 'pending, over_day_limit'),
  operator(8, 'pending, over_day_limit'),
  request(2, 80, { shipped: false }),
  decide(9, 'approver', 'pending, over_person_limit'),
  decide(9, 'approver', 'pending, over_person_limit'),
  expire(9, 'pending'),
  expire(9, 'approved'),
  request(2, 60, { shipped: true }),
  expire(10, 'pending'),
  expire(10, 'pending'),
  expire(10, 'expired'),
  policy({ rules: [rule(0)], dayLimitFen: 50, atDeadline: 'close' }),
  request(2, 51),
  decide(11, 'approver', 'pending, over_day_limit'),
  expire(11, 'pending'),
  expire(11, 'expired'),
  // The limits of the newest rules hold, also for what was asked for under others.
  policy({ rules: [rule(0)] }),
  decide(8, 'approver', 'approved, applied'),
]

/** What people do, one after the other, with what each of them is answered. */
export const WALK: readonly Step[] = [...CLOSED, ...REFUSED, ...TWO_PEOPLE, ...LIMITS]

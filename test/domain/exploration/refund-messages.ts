import type { RefundStatus } from '../../../src/domain/channel.js'
import { aDay, late, notified, query, see, submit } from './refund-channel.js'
import { deadline, decide } from './refund-decisions.js'
import { resolve, retry } from './refund-resolutions.js'
import type { Change, Message } from './trial.js'

/** Every message about a refund, by name. */

const STATUSES: readonly RefundStatus[] = ['processing', 'success', 'closed', 'abnormal']

type NamedChange = readonly [name: string, change: Change]

const QUESTIONS: readonly NamedChange[] = STATUSES.flatMap((says): NamedChange[] => [
  [`portal: a question shows ${says}`, see(says)],
  [`query: ${says}`, query(says)],
  [`query: ${says}, of another amount`, query(says, { isOtherAmount: true })],
  [`notification: ${says}, and so says the channel`, notified(says, says)],
  [`notification: ${says}, forged`, notified(says, 'processing')],
])

const DECISIONS: readonly NamedChange[] = [
  ...(['asker', 'other', 'third', 'operator', 'policy'] as const).map((who): NamedChange => [
    `approve: ${who}`,
    decide('approve', who),
  ]),
  ['approve: other, nothing left today', decide('approve', 'other', 0)],
  ['reject: other', decide('reject', 'other')],
  ['cancel: asker', decide('cancel', 'asker')],
  ...(['escalate', 'approve', 'close'] as const).map((at): NamedChange => [
    `deadline: ${at}`,
    deadline(at),
  ]),
]

const SUBMITS: readonly NamedChange[] = (
  ['accepted', 'taken, no answer', 'no answer', 'not enough', 'refused'] as const
).map((answer) => [`submit: ${answer}`, submit(answer)])

const RESOLUTIONS: readonly NamedChange[] = [
  ['what was under way arrives', late],
  ['a day passes', aDay],
  ['retry', retry],
  ...([...STATUSES, 'nothing', 'silent'] as const).flatMap((says): NamedChange[] => [
    ...(['asker', 'other', 'third'] as const).map((who): NamedChange => [
      `settle: ${who}, the channel says ${says}`,
      resolve('settle', who, says),
    ]),
    [`fail: the channel says ${says}`, resolve('fail', 'other', says)],
    [`renew: the channel says ${says}`, resolve('renew', 'other', says)],
  ]),
]

const CHANGES: readonly NamedChange[] = [...QUESTIONS, ...DECISIONS, ...SUBMITS, ...RESOLUTIONS]

/** Each change for the refund of each place. */
export const refundMessages = (index: number): Message[] =>
  CHANGES.map(([name, change]) => ({
    name: `refund: ${name}`,
    apply: (world, trial) => change(world, index, trial),
  }))

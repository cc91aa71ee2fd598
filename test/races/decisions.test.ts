import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { addKey } from '../../src/cli/merchants.js'
import { addPolicy } from '../../src/db/policies.js'
import { DEFAULT_POLICY } from '../../src/domain/approval.js'
import { ApiClient } from '../support/api-client.js'
import { MERCHANT_ID, startStack, type Stack } from '../support/stack.js'
import {
  codeOf,
  eventsOf,
  inRounds,
  jumbled,
  paid,
  RATE,
  rulesOf,
  until,
} from './support/rounds.js'

const ROUNDS = 24
/** Five minutes, which are as many seconds here: long enough to decide on a busy machine. */
const DEADLINE = { deadlineSeconds: 300, atDeadline: 'close' } as const
const DEADLINE_MS = 5_000

const ENDS = ['refund.approved', 'refund.rejected', 'refund.cancelled', 'refund.expired']
/** What may have happened; who asked may still cancel what is approved and was never sent. */
const LEGAL: Readonly<Record<string, readonly string[]>> = {
  done: ['approved'],
  rejected: ['rejected'],
  cancelled: ['cancelled', 'approved cancelled'],
  expired: ['expired'],
}
/** What whoever comes too late is told: a code of the catalogue, or that it is recorded. */
const TOLD = [200, 202, 'refund_state_conflict', 'engine_unavailable']

let stack: Stack
let other: ApiClient

beforeAll(async () => {
  stack = await startStack({ rate: RATE })
  const scopes = ['refunds:decide', 'refunds:read']
  const { id, key } = await addKey(stack.owner, { merchantId: MERCHANT_ID, name: 'other', scopes })
  other = new ApiClient(stack.apiUrl, key)
  const by = { merchantId: MERCHANT_ID, keyId: id, actingUser: 'wang.wei', auditId: randomUUID() }
  await addPolicy(stack.owner, { ...DEFAULT_POLICY, ...DEADLINE }, { ...by, now: new Date() })
})
afterAll(() => stack.stop())

describe('approve, reject, cancel and the deadline', () => {
  it('at the same moment: one of them happens, and the others are told', async () => {
    const ends = await inRounds(ROUNDS, async (random) => {
      const payment = await paid(stack)
      const asked = { paymentId: payment.id, amountFen: 300 }
      const { body: refund } = await stack.requester.requestRefund(asked)
      // Every other round is fought out around the deadline, and the others long before it.
      if (random.below(2) === 0) await sleep(DEADLINE_MS - 250)
      const answers = await jumbled(
        random,
        random.pick([1, 30, 400]),
        () => stack.approver.decide(refund.id, 'approve'),
        () => other.decide(refund.id, 'reject', 'zhao.lei'),
        () => stack.requester.decide(refund.id, 'cancel', 'li.na'),
      )
      for (const answer of answers) expect(TOLD).toContain(codeOf(answer))
      const { state } = await until(async () => {
        const { body } = await stack.requester.refund(refund.id)
        return ['done', 'rejected', 'cancelled', 'expired'].includes(body.state) && body
      })
      const events = await eventsOf(stack, payment.id)
      const isDone = state === 'done'
      const decided = events.filter((type) => ENDS.includes(type))
      const words = decided.map((type) => type.replace('refund.', ''))
      expect(LEGAL[state]).toContain(words.join(' '))
      expect(answers.filter(({ status }) => status === 200).length).toBeLessThanOrEqual(
        words.length,
      )
      expect(await rulesOf(stack, payment.id)).toEqual(isDone ? ['P1', 'J1', 'J2'] : ['P1'])
      const after = (await stack.requester.payment(payment.id)).body
      expect([after.reservedFen, after.refundedFen]).toEqual([0, isDone ? 300 : 0])
      const { refunds } = await stack.sandbox.control.book({ mchId: stack.merchant.mchId })
      const made = refunds.filter(({ outRefundNo }) => outRefundNo === refund.outRefundNo)
      expect(made).toHaveLength(isDone ? 1 : 0)
      return state
    })
    // A race that always has the same winner is none.
    expect(new Set(ends).size).toBeGreaterThan(1)
  }, 180_000)
})

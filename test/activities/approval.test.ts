import { randomUUID } from 'node:crypto'

import { beforeEach, describe, expect, test } from 'vitest'

import { findDecision } from '../../src/db/decisions.js'
import type { RefundRow } from '../../src/db/refunds.js'
import type { ApprovalPolicy } from '../../src/domain/approval.js'
import { runActivity } from '../support/run-activity.js'
import { refundTraces } from '../support/refund-traces.js'
import { useWorkshop } from '../support/workshop.js'

const LIMIT_FEN = 10_000
const NONE: Partial<ApprovalPolicy> = {}
const workshop = useWorkshop({ operatorLimitFen: LIMIT_FEN })
const { clock } = workshop

/** A Beijing day for each test, so that no sum of another one stands in it. */
beforeEach(() => clock.advance(86_400_000))

async function asked(
  policy: Partial<ApprovalPolicy>,
  options: Parameters<typeof workshop.seed.refund>[1] = {},
): Promise<RefundRow> {
  const payment = await workshop.seed.paidPayment({ totalFen: 100_000 })
  await workshop.seed.policy(policy)
  return workshop.seed.refund(payment, options)
}

async function decided(
  refund: RefundRow,
  by: { principalId?: string; actingUser?: string; selfApproval?: boolean } = {},
) {
  const id = await workshop.seed.decision(refund, 'approve', by)
  clock.advance(1_000)
  const progress = await runActivity(workshop.activities.decideRefund, [refund.id, id])
  const decision = await findDecision(workshop.seed.api, id)
  return { state: progress.state, outcome: decision?.outcome }
}

async function operatorApproved(refund: RefundRow) {
  const decisionId = randomUUID()
  clock.advance(1_000)
  const approval = { decisionId, reason: 'seen', runId: 'run-1' }
  const progress = await runActivity(workshop.activities.approveByOperator, [refund.id, approval])
  const decision = await findDecision(workshop.seed.api, decisionId)
  return { state: progress.state, note: progress.note, outcome: decision?.outcome }
}

const somebody = (actingUser: string) => ({ principalId: randomUUID(), actingUser })
const traces = (refund: RefundRow) => refundTraces(workshop.seed, refund.id)
const read = (refund: RefundRow) => workshop.seed.readRefund(refund.id)

describe('a refund that its rules let go by itself', () => {
  const BY_ITSELF: Partial<ApprovalPolicy> = {
    rules: [{ upToFen: 1_000, approvals: 0 }, { approvals: 1 }],
  }

  test('is approved when it is asked for, as the policy', async () => {
    const refund = await asked(BY_ITSELF)
    expect(refund).toMatchObject({ state: 'approved', approvalsNeeded: 0 })
    const [decision] = await workshop.seed.look(
      'select principal_kind, outcome from refund_decisions where refund_id = $1',
      refund.id,
    )
    expect(decision).toEqual({ principal_kind: 'policy', outcome: 'applied' })
    const { events, audit } = await traces(refund)
    expect(events).toEqual(['refund.requested', 'refund.approved'])
    expect(audit.toSorted()).toEqual(['api_key refund.request', 'policy refund.approved'])
  })

  test('a fen more: waits for a person, under the version it was asked for', async () => {
    const refund = await asked(BY_ITSELF, { amountFen: 1_001 })
    expect(refund).toMatchObject({ state: 'pending', approvalsNeeded: 1 })
    const version = await workshop.seed.policy(NONE)
    expect(refund.policyVersion).toBe(version - 1)
    expect((await read(refund)).policyVersion).toBe(version - 1)
  })

  test('over the limit of the day: waits for a person, on the next day it goes', async () => {
    const policy = { ...BY_ITSELF, dayLimitFen: 1_500 }
    const first = await asked(policy)
    const second = await asked(policy)
    expect([first.state, second.state]).toEqual(['approved', 'pending'])
    clock.advance(86_400_000)
    expect((await asked(policy)).state).toBe('approved')
  })
})

describe('a refund that two have to approve', () => {
  const TWO: Partial<ApprovalPolicy> = { rules: [{ approvals: 2 }] }

  test('the first: is recorded and the refund waits; another one lets it go', async () => {
    const refund = await asked(TWO)
    const bob = somebody('Bob')
    expect(await decided(refund, bob)).toEqual({ state: 'pending', outcome: 'first_of_two' })
    const sameName = somebody(' bob')
    expect(await decided(refund, sameName)).toMatchObject({ outcome: 'same_principal' })
    const sameKey = { ...bob, actingUser: 'Dan' }
    expect(await decided(refund, sameKey)).toMatchObject({ outcome: 'same_principal' })
    const carol = somebody('Carol')
    expect(await decided(refund, carol)).toEqual({ state: 'approved', outcome: 'applied' })
    expect(await traces(refund)).toMatchObject({
      events: ['refund.requested', 'refund.first_approved', 'refund.approved'],
      audit: [
        'api_key refund.request',
        'api_key refund.first_approved',
        'api_key refund.approve_refused',
        'api_key refund.approve_refused',
        'api_key refund.approved',
      ],
    })
  })

  test('the operator: may be the first, and is never the second', async () => {
    const refund = await asked(TWO)
    expect(await operatorApproved(refund)).toMatchObject({ outcome: 'first_of_two' })
    expect(await operatorApproved(refund)).toMatchObject({
      state: 'pending',
      outcome: 'operator_not_second',
      note: expect.stringContaining('never the second'),
    })
    expect(await decided(refund)).toMatchObject({ state: 'approved' })
  })

  test('the operator over the limit: is not even the first, and shown as refused', async () => {
    const refund = await asked(TWO, { amountFen: LIMIT_FEN + 1 })
    expect(await operatorApproved(refund)).toMatchObject({
      outcome: 'over_operator_limit',
      note: expect.stringContaining('Refused'),
    })
    expect(await decided(refund)).toMatchObject({ outcome: 'first_of_two' })
  })

  test('two firsts at once: one is the first and the other lets it go', async () => {
    const refund = await asked(TWO)
    const outcomes = await Promise.all([
      decided(refund, somebody('Bob')),
      decided(refund, somebody('Carol')),
    ])
    expect(new Set(outcomes.map(({ outcome }) => outcome))).toEqual(
      new Set(['applied', 'first_of_two']),
    )
    expect((await read(refund)).state).toBe('approved')
  })
})

describe('the limits of a day', () => {
  test('of everybody: what comes to more is refused, and may be approved tomorrow', async () => {
    const policy = { dayLimitFen: 1_500 }
    const [one, other] = [await asked(policy), await asked(policy)]
    expect(await decided(one, somebody('Bob'))).toMatchObject({ outcome: 'applied' })
    const carol = somebody('Carol')
    expect(await decided(other, carol)).toEqual({ state: 'pending', outcome: 'over_day_limit' })
    clock.advance(86_400_000)
    expect(await decided(other, carol)).toEqual({ state: 'approved', outcome: 'applied' })
  })

  test('of one person: another one may go on', async () => {
    const policy = { personDayLimitFen: 1_500 }
    const [one, other] = [await asked(policy), await asked(policy)]
    expect(await decided(one, somebody('Bob'))).toMatchObject({ outcome: 'applied' })
    expect(await decided(other, somebody('BOB'))).toMatchObject({ outcome: 'over_person_limit' })
    expect(await decided(other, somebody('Carol'))).toMatchObject({ outcome: 'applied' })
  })

  test('twenty at once: together stay within the limit', async () => {
    const policy = { dayLimitFen: 5_000 }
    const refunds = []
    for (let n = 0; n < 20; n += 1) refunds.push(await asked(policy))
    const all = await Promise.all(refunds.map((refund, n) => decided(refund, somebody(`p${n}`))))
    expect(all.filter(({ outcome }) => outcome === 'applied')).toHaveLength(5)
    expect(all.filter(({ outcome }) => outcome === 'over_day_limit')).toHaveLength(15)
  })

  test('the limit of now counts, not that of when it was asked for', async () => {
    const refund = await asked(NONE)
    await workshop.seed.policy({ dayLimitFen: 999 })
    expect(await decided(refund)).toMatchObject({ outcome: 'over_day_limit' })
    await workshop.seed.policy(NONE)
    expect(await decided(refund)).toMatchObject({ outcome: 'applied' })
  })
})

describe('a shop of one', () => {
  const own = () => ({
    principalId: workshop.seed.asker,
    actingUser: 'clerk',
    selfApproval: true,
  })

  test('confirms its own once it is allowed and alone, and the audit says so', async () => {
    const refund = await asked(NONE)
    await workshop.seed.look("update merchants set self_approval = true where id = 'teahouse'")
    expect(await decided(refund, own())).toMatchObject({ outcome: 'same_principal' })

    const other = await asked(NONE)
    const revoke = 'update api_keys set revoked_at = $1 where id = $2'
    await workshop.seed.look(revoke, clock.now(), workshop.seed.approver)
    const undeclared = { ...own(), actingUser: 'Clerk', selfApproval: false }
    expect(await decided(other, undeclared)).toMatchObject({ outcome: 'same_principal' })
    expect(await decided(other, own())).toMatchObject({ outcome: 'applied' })
    const [line] = await workshop.seed.look<{ detail: object }>(
      "select detail from audit where subject_id = $1 and action = 'refund.approved'",
      other.id,
    )
    expect(line?.detail).toMatchObject({ selfApproval: '自审' })
    await workshop.seed.look(revoke, null, workshop.seed.approver)
    await workshop.seed.look("update merchants set self_approval = false where id = 'teahouse'")
  })
})

describe('when nobody decides', () => {
  const HOUR_MS = 3_600_000
  const pass = async (refund: RefundRow) =>
    runActivity(workshop.activities.expireRefund, [refund.id])

  test('half time reminds, the deadline escalates once, and then it closes', async () => {
    const refund = await asked({ deadlineSeconds: 7_200 })
    clock.advance(HOUR_MS)
    expect(await pass(refund)).toMatchObject({ state: 'pending', decideInMs: HOUR_MS })
    clock.advance(HOUR_MS)
    expect(await pass(refund)).toMatchObject({ state: 'pending', decideInMs: 2 * HOUR_MS })
    clock.advance(2 * HOUR_MS)
    expect(await pass(refund)).toMatchObject({ state: 'expired' })
    expect(await traces(refund)).toMatchObject({
      events: ['refund.requested', 'refund.reminder', 'refund.escalated', 'refund.expired'],
      audit: [
        'api_key refund.request',
        'deadline refund.reminder',
        'deadline refund.escalated',
        'deadline refund.expired',
      ],
    })
  })

  test.each(['escalate', 'approve', 'close'] as const)(
    'a step taken twice, because a worker died with the first (%s): waits for its time',
    async (atDeadline) => {
      const approveUpToFen = atDeadline === 'approve' ? 1_000 : null
      const policy = { deadlineSeconds: 7_200, atDeadline, approveUpToFen }
      const refund = await asked(policy, { shipped: false })
      clock.advance(HOUR_MS)
      await pass(refund)
      clock.advance(1_000)
      const leftMs = HOUR_MS - 1_000
      expect(await pass(refund)).toMatchObject({ state: 'pending', decideInMs: leftMs })
      expect((await traces(refund)).events).toEqual(['refund.requested', 'refund.reminder'])
    },
  )

  const APPROVES = { atDeadline: 'approve', approveUpToFen: 1_000 } as const
  test.each<[string, Partial<ApprovalPolicy>, object, string]>([
    ['small and unshipped', APPROVES, { shipped: false }, 'approved'],
    ['a fen too much', APPROVES, { shipped: false, amountFen: 1_001 }, 'pending'],
    ['shipped', APPROVES, { shipped: true }, 'pending'],
    ['nobody knows', APPROVES, {}, 'pending'],
    ['over the day', { ...APPROVES, dayLimitFen: 999 }, { shipped: false }, 'pending'],
    ['needs two', { ...APPROVES, rules: [{ approvals: 2 }] }, { shipped: false }, 'pending'],
    ['a policy that closes', { atDeadline: 'close' }, {}, 'expired'],
  ])('at the deadline, %s: is %s', async (_name, policy, options, state) => {
    const refund = await asked({ ...policy, deadlineSeconds: 7_200 }, options)
    clock.advance(HOUR_MS)
    await pass(refund)
    clock.advance(HOUR_MS)
    expect(await pass(refund)).toMatchObject({ state })
    const { audit } = await traces(refund)
    if (state === 'approved') expect(audit).toContain('deadline refund.approved')
  })
})

describe('what WeChat Pay and the rules allow', () => {
  test('fifty refunds: are taken, no more, and what was refused does not count', async () => {
    const payment = await workshop.seed.paidPayment()
    const refused = await workshop.seed.refund(payment, { amountFen: 1 })
    await workshop.seed.change(refused, { state: 'rejected' })
    for (let n = 0; n < 50; n += 1) await workshop.seed.refund(payment, { amountFen: 1 })
    const more = workshop.seed.refund(payment, { amountFen: 1 })
    await expect(more).rejects.toThrow('refund_count_reached')
  })

  test('spacing: a second request too soon is refused, and a later one taken', async () => {
    await workshop.seed.policy({ spacingSeconds: 60 })
    const payment = await workshop.seed.paidPayment()
    await workshop.seed.refund(payment)
    clock.advance(59_999)
    await expect(workshop.seed.refund(payment)).rejects.toThrow('refund_too_soon')
    clock.advance(1)
    await workshop.seed.refund(payment)
  })

  test('365 days: are in time, and a millisecond later is too late', async () => {
    const payment = await workshop.seed.paidPayment()
    const paidAt = payment.paidAt?.getTime() ?? 0
    clock.advance(paidAt + 365 * 86_400_000 - clock.now().getTime())
    await workshop.seed.refund(payment)
    clock.advance(1)
    await expect(workshop.seed.refund(payment)).rejects.toThrow('refund_too_old')
  })
})

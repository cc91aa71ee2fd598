import { randomUUID } from 'node:crypto'

import { beforeEach, describe, expect, test } from 'vitest'

import { findDecision } from '../../src/db/decisions.js'
import type { RefundRow } from '../../src/db/refunds.js'
import { nextStepAt } from '../../src/domain/approval.js'
import type { DecisionOutcome, DecisionVerb } from '../../src/domain/refund.js'
import { REFUND_STATES, type RefundState } from '../../src/domain/states.js'
import { refundTraces } from '../support/refund-traces.js'
import { failureOf, runActivity } from '../support/run-activity.js'
import { useWorkshop } from '../support/workshop.js'

const LIMIT_FEN = 10_000
const workshop = useWorkshop({ operatorLimitFen: LIMIT_FEN })
const { clock } = workshop

beforeEach(() => clock.advance(60_000))

const decide = (refund: RefundRow, decisionId: string) =>
  runActivity(workshop.activities.decideRefund, [refund.id, decisionId])
const traces = (refund: RefundRow) => refundTraces(workshop.seed, refund.id)
const asked = async (amountFen = 1_000) =>
  workshop.seed.refund(await workshop.seed.paidPayment({ totalFen: 100_000 }), { amountFen })

/** The states on the way to each state, as the transition table demands them. */
const WAYS: Readonly<Record<RefundState, readonly RefundState[]>> = {
  pending: [],
  approved: ['approved'],
  refunding: ['approved', 'refunding'],
  needs_attention: ['approved', 'refunding', 'needs_attention'],
  done: ['approved', 'refunding', 'done'],
  settled: ['approved', 'refunding', 'needs_attention', 'settled'],
  failed: ['approved', 'refunding', 'failed'],
  rejected: ['rejected'],
  cancelled: ['cancelled'],
  expired: ['expired'],
}

async function refundIn(state: RefundState): Promise<RefundRow> {
  let refund = await asked()
  for (const step of WAYS[state]) {
    refund = await workshop.seed.change(refund, {
      state: step,
      ...(step === 'refunding' ? { firstSubmittedAt: clock.now() } : {}),
      ...(step === 'done' ? { doneAt: clock.now() } : {}),
    })
  }
  return refund
}

describe('decideRefund', () => {
  const VERDICTS: Readonly<Record<DecisionVerb, Partial<Record<RefundState, RefundState>>>> = {
    approve: { pending: 'approved' },
    reject: { pending: 'rejected' },
    cancel: { pending: 'cancelled', approved: 'cancelled' },
  }
  const cases = REFUND_STATES.flatMap((from) =>
    (['approve', 'reject', 'cancel'] as const).map((verb) => ({
      from,
      verb,
      to: VERDICTS[verb][from] ?? from,
    })),
  )

  test.each(cases)('$verb of a $from refund: leaves it $to', async ({ from, verb, to }) => {
    const refund = await refundIn(from)
    const id = await workshop.seed.decision(refund, verb)
    clock.advance(1_000)
    expect(await decide(refund, id)).toMatchObject({ state: to })
    expect(await workshop.seed.readRefund(refund.id)).toMatchObject({ state: to })
    const outcome: DecisionOutcome = from === to ? 'already_decided' : 'applied'
    expect(await findDecision(workshop.seed.api, id)).toMatchObject({
      outcome,
      appliedAt: clock.now(),
    })
    const moved = from === to ? [] : [`refund.${to}`]
    const after = await traces(refund)
    expect(after.events).toEqual(['refund.requested', ...moved])
    const written = from === to ? [`refund.${verb}_refused`] : moved
    expect(after.audit).toEqual([
      'api_key refund.request',
      ...written.map((action) => `api_key ${action}`),
    ])

    await decide(refund, id)
    expect(await traces(refund)).toEqual(after)
  })

  test.each([
    ['the key that asked', () => ({ principalId: workshop.seed.asker, actingUser: 'manager' })],
    ['the person who asked', () => ({ actingUser: 'clerk' })],
    ['the person who asked, written otherwise', () => ({ actingUser: ' CLERK ' })],
  ])('approval by %s: is refused, and another may still approve', async (_name, by) => {
    const refund = await asked()
    const id = await workshop.seed.decision(refund, 'approve', by())
    const progress = await decide(refund, id)
    expect(progress).toMatchObject({ state: 'pending', note: expect.stringContaining('Refused') })
    expect(await findDecision(workshop.seed.api, id)).toMatchObject({ outcome: 'same_principal' })
    const other = await workshop.seed.decision(refund, 'approve', {
      principalId: randomUUID(),
      actingUser: 'boss',
    })
    expect(await decide(refund, other)).toMatchObject({ state: 'approved' })
  })

  test.each(['reject', 'cancel'] as const)('%s: is open to who asked', async (verb) => {
    const refund = await asked()
    const by = { principalId: workshop.seed.asker, actingUser: 'clerk' }
    await decide(refund, await workshop.seed.decision(refund, verb, by))
    expect((await workshop.seed.readRefund(refund.id)).state).not.toBe('pending')
  })

  test('ten decisions at once: one wins, nine are told', async () => {
    const refund = await asked()
    const ids = []
    for (let n = 0; n < 10; n += 1) {
      const by = { principalId: randomUUID(), actingUser: `boss-${n}` }
      ids.push(await workshop.seed.decision(refund, n % 2 === 0 ? 'approve' : 'reject', by))
    }
    await Promise.all(ids.map((id) => decide(refund, id)))
    const rows = await Promise.all(ids.map((id) => findDecision(workshop.seed.api, id)))
    const outcomes = rows.map((row) => row?.outcome)
    expect(outcomes.filter((outcome) => outcome === 'applied')).toHaveLength(1)
    expect(outcomes.filter((outcome) => outcome === 'already_decided')).toHaveLength(9)
  })

  const raw: [string, unknown][] = [
    ['an unknown id', randomUUID()],
    ['no id', 'not-an-id'],
    ['nothing', undefined],
    ['null', null],
    ['a number', 7],
    ['an object', { id: randomUUID() }],
    ['a list of one id', [randomUUID()]],
    ['SQL', "'; drop table refunds; --"],
  ]
  test.each(raw)('a raw signal with %s: changes nothing', async (_name, junk) => {
    const refund = await asked()
    const before = await traces(refund)
    expect(await decide(refund, junk as string)).toMatchObject({ state: 'pending' })
    expect(await traces(refund)).toEqual(before)
  })

  test('a decision about another refund: changes neither', async () => {
    const [one, other] = [await asked(), await asked()]
    const id = await workshop.seed.decision(other, 'approve')
    expect(await decide(one, id)).toMatchObject({ state: 'pending' })
    expect(await findDecision(workshop.seed.api, id)).toMatchObject({ appliedAt: null })
  })

  test('a refund of nowhere: fails until there is such a row', async () => {
    const nowhere = { ...(await asked()), id: randomUUID() }
    expect(await failureOf(decide(nowhere, randomUUID()))).toMatchObject({ type: 'NO_SUCH_ROW' })
  })
})

describe('approveByOperator', () => {
  const approve = (refund: RefundRow, decisionId: string, reason: unknown = 'seen it') =>
    runActivity(workshop.activities.approveByOperator, [
      refund.id,
      { decisionId, reason: reason as string, runId: 'run-1' },
    ])

  test('up to the limit: approves as the operator nobody can name', async () => {
    const refund = await asked(LIMIT_FEN)
    const id = randomUUID()
    clock.advance(1_000)
    expect(await approve(refund, id)).toMatchObject({ state: 'approved' })
    expect(await findDecision(workshop.seed.api, id)).toMatchObject({
      principalKind: 'temporal-operator',
      actingUser: 'temporal-operator',
      reason: 'seen it',
      outcome: 'applied',
    })
    expect((await traces(refund)).audit).toEqual([
      'api_key refund.request',
      'temporal-operator refund.approved',
    ])
  })

  test('over the limit: is recorded, refused, and the refund waits on', async () => {
    const refund = await asked(LIMIT_FEN + 1)
    const id = randomUUID()
    const progress = await approve(refund, id)
    expect(progress).toMatchObject({ state: 'pending', note: expect.stringContaining('Refused') })
    expect(await findDecision(workshop.seed.api, id)).toMatchObject({
      outcome: 'over_operator_limit',
    })
  })

  test('repeated by Temporal: records one decision', async () => {
    const refund = await asked()
    const id = randomUUID()
    await approve(refund, id)
    const after = await traces(refund)
    expect(await approve(refund, id)).toMatchObject({ state: 'approved' })
    expect(await traces(refund)).toEqual(after)
  })

  test.each<[string, unknown, string]>([
    ['no reason', '', 'approved in Temporal'],
    ['blanks', '   ', 'approved in Temporal'],
    ['a number', 7, 'approved in Temporal'],
    ['a character that no row can hold', 'seen\0 it', 'seen it'],
    ['a very long text', 'x'.repeat(1_000), 'x'.repeat(256)],
  ])('with %s: a reason is recorded all the same', async (_name, reason, recorded) => {
    const refund = await asked()
    const id = randomUUID()
    await approve(refund, id, reason)
    expect(await findDecision(workshop.seed.api, id)).toMatchObject({ reason: recorded })
  })
})

describe('expireRefund', () => {
  test.each(REFUND_STATES.map((from) => ({ from, to: from === 'pending' ? 'expired' : from })))(
    'the deadlines of a $from refund: leave it $to',
    async ({ from, to }) => {
      const refund = await refundIn(from)
      const expire = async () => {
        const dueAt = nextStepAt(await workshop.seed.readRefund(refund.id))
        clock.advance(Math.max(0, dueAt.getTime() - clock.now().getTime()))
        return runActivity(workshop.activities.expireRefund, [refund.id])
      }
      const steps = from === to ? [] : ['refund.reminder', 'refund.escalated']
      for (const step of steps) expect(await expire(), step).toMatchObject({ state: 'pending' })
      expect(await expire()).toMatchObject({ state: to })
      const moved = from === to ? [] : [...steps, 'refund.expired']
      expect((await traces(refund)).events).toEqual(['refund.requested', ...moved])
      expect(await expire()).toMatchObject({ state: to })
      const payment = await workshop.seed.readPayment(refund.paymentId)
      if (to === 'expired') expect(payment).toMatchObject({ reservedFen: 0 })
    },
  )
})

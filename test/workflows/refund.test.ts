import { randomUUID } from 'node:crypto'

import { describe, expect, test } from 'vitest'

import { askAgain } from '../../src/activities/failures.js'
import type { RefundProgress } from '../../src/activities/progress.js'
import {
  DAY_MS,
  decideById,
  newRefundSubject,
  refundIn,
  startRefund,
  useMockedRefunds,
} from '../support/mocked-refunds.js'
import { inTurn } from '../support/mocked-worker.js'

const MINUTE_MS = 60_000
const { withMocks, resultOf, elapsedMs, attentionOf } = useMockedRefunds()
const processing = (minutes = 1) => askAgain('PROCESSING', 'still', minutes * MINUTE_MS)

describe('refundWorkflow', () => {
  test('approved by a decision, found by asking: submits, asks, settles and ends', async () => {
    const refund = newRefundSubject()
    const refundAtChannel = inTurn<undefined>(processing(), processing(), undefined)
    await withMocks(
      refund.id,
      {
        decideRefund: () => refundIn('approved'),
        refundAtChannel,
        settleRefund: () => refundIn('done'),
      },
      async (rig) => {
        const decisionId = randomUUID()
        await startRefund(rig, refund)
        await rig.engine.refundDecision(refund, decisionId)
        expect(await resultOf(refund)).toEqual({ state: 'done' })
        expect(rig.calls).toEqual([
          `local decideRefund("${refund.id}", "${decisionId}")`,
          ...Array<string>(3).fill(`channel refundAtChannel("${refund.id}")`),
          `local settleRefund("${refund.id}")`,
        ])
        expect(await elapsedMs(refund)).toBeGreaterThanOrEqual(2 * MINUTE_MS)
        // Set at start without an event, and removed when nobody is needed any more.
        expect(await attentionOf(refund)).toEqual([null])
      },
    )
  })

  test('started twice: runs once', async () => {
    const refund = newRefundSubject()
    await withMocks(refund.id, { decideRefund: () => refundIn('rejected') }, async (rig) => {
      await startRefund(rig, refund)
      await startRefund(rig, refund)
      await rig.engine.refundDecision(refund, randomUUID())
      await resultOf(refund)
      await startRefund(rig, refund)
      expect(rig.calls).toHaveLength(1)
    })
  })

  test('notified and confirmed: the question under way is left behind', async () => {
    const refund = newRefundSubject()
    await withMocks(
      refund.id,
      {
        decideRefund: () => refundIn('approved'),
        refundAtChannel: inTurn<undefined>(processing(30)),
        confirmRefund: () => refundIn('done'),
      },
      async (rig) => {
        await startRefund(rig, refund)
        await rig.engine.refundDecision(refund, randomUUID())
        await rig.tried('refundAtChannel')
        await rig.engine.refundFact(refund, randomUUID())
        expect(await resultOf(refund)).toEqual({ state: 'done' })
        expect(rig.calls.slice(1)).toEqual([
          `channel refundAtChannel("${refund.id}")`,
          `local confirmRefund("${refund.id}")`,
        ])
        expect(await elapsedMs(refund)).toBeLessThan(MINUTE_MS)
      },
    )
  })

  test('notified and not confirmed: the question begins anew at once', async () => {
    const refund = newRefundSubject()
    await withMocks(
      refund.id,
      {
        decideRefund: () => refundIn('approved'),
        refundAtChannel: inTurn<undefined>(processing(30), undefined),
        confirmRefund: inTurn<RefundProgress>(askAgain('NOT_CONFIRMED', 'no', 1_000)),
        settleRefund: inTurn(refundIn('refunding', { cause: 'accepted' }), refundIn('done')),
      },
      async (rig) => {
        await startRefund(rig, refund)
        await rig.engine.refundDecision(refund, randomUUID())
        await rig.tried('refundAtChannel')
        await rig.engine.refundFact(refund, randomUUID())
        expect(await resultOf(refund)).toEqual({ state: 'done' })
        expect(rig.calls.slice(1)).toEqual([
          `channel refundAtChannel("${refund.id}")`,
          `local confirmRefund("${refund.id}")`,
          `local settleRefund("${refund.id}")`,
          `channel refundAtChannel("${refund.id}")`,
          `local settleRefund("${refund.id}")`,
        ])
        expect(await elapsedMs(refund)).toBeLessThan(MINUTE_MS)
      },
    )
  })

  test('notified before the decision: only settles, and waits on', async () => {
    const refund = newRefundSubject()
    await withMocks(
      refund.id,
      { settleRefund: () => refundIn('pending', { decideInMs: DAY_MS }), decideRefund: decideById },
      async (rig) => {
        await startRefund(rig, refund)
        await rig.engine.refundFact(refund, randomUUID())
        await rig.tried('settleRefund')
        await rig.engine.refundDecision(refund, 'rejected')
        expect(await resultOf(refund)).toEqual({ state: 'rejected' })
        expect(rig.calls).toHaveLength(2)
      },
    )
  })

  test.each(['rejected', 'cancelled'] as const)(
    '%s by a decision: ends, nothing is sent',
    async (state) => {
      const refund = newRefundSubject()
      await withMocks(refund.id, { decideRefund: decideById }, async (rig) => {
        await startRefund(rig, refund)
        await rig.engine.refundDecision(refund, state)
        expect(await resultOf(refund)).toEqual({ state })
        expect(rig.calls).toEqual([`local decideRefund("${refund.id}", "${state}")`])
      })
    },
  )

  test('nobody decides: expires after 24 hours', async () => {
    const refund = newRefundSubject()
    await withMocks(refund.id, { expireRefund: () => refundIn('expired') }, async (rig) => {
      await startRefund(rig, refund)
      expect(await resultOf(refund)).toEqual({ state: 'expired' })
      expect(rig.calls).toEqual([`local expireRefund("${refund.id}")`])
      const elapsed = await elapsedMs(refund)
      expect(elapsed).toBeGreaterThanOrEqual(DAY_MS)
      expect(elapsed).toBeLessThan(DAY_MS + MINUTE_MS)
    })
  })

  test('refused decisions: do not move the deadline', async () => {
    const refund = newRefundSubject()
    await withMocks(
      refund.id,
      {
        decideRefund: () => refundIn('pending', { note: 'Refused.', decideInMs: 7 * DAY_MS }),
        expireRefund: () => refundIn('expired'),
      },
      async (rig) => {
        await startRefund(rig, refund)
        await rig.engine.refundDecision(refund, randomUUID())
        await rig.tried('decideRefund')
        expect(await resultOf(refund)).toEqual({ state: 'expired' })
        expect(await elapsedMs(refund)).toBeLessThan(DAY_MS + MINUTE_MS)
      },
    )
  })

  test('cancelled while parked in approved: ends, and nothing was sent', async () => {
    const refund = newRefundSubject()
    await withMocks(
      refund.id,
      {
        decideRefund: decideById,
        refundAtChannel: inTurn<undefined>(askAgain('SPACING', 'waits', 61_000)),
      },
      async (rig) => {
        await startRefund(rig, refund)
        await rig.engine.refundDecision(refund, 'approved')
        await rig.tried('refundAtChannel')
        await rig.engine.refundDecision(refund, 'cancelled')
        expect(await resultOf(refund)).toEqual({ state: 'cancelled' })
        expect(rig.calls).toEqual([
          `local decideRefund("${refund.id}", "approved")`,
          `channel refundAtChannel("${refund.id}")`,
          `local decideRefund("${refund.id}", "cancelled")`,
        ])
      },
    )
  })

  test('a decision too late: the question under way goes on', async () => {
    const refund = newRefundSubject()
    await withMocks(
      refund.id,
      {
        decideRefund: inTurn(
          refundIn('approved'),
          refundIn('refunding', { note: 'A decision came too late.' }),
        ),
        refundAtChannel: inTurn<undefined>(processing(), undefined),
        settleRefund: () => refundIn('done'),
      },
      async (rig) => {
        await startRefund(rig, refund)
        await rig.engine.refundDecision(refund, randomUUID())
        await rig.tried('refundAtChannel')
        await rig.engine.refundDecision(refund, randomUUID())
        await rig.tried('decideRefund', 2)
        expect(await resultOf(refund)).toEqual({ state: 'done' })
        expect(rig.calls.filter((call) => call.startsWith('channel'))).toHaveLength(2)
      },
    )
  })

  test('needs attention: says why, keeps asking, and a success ends it', async () => {
    const refund = newRefundSubject()
    await withMocks(
      refund.id,
      {
        decideRefund: () => refundIn('approved'),
        refundAtChannel: inTurn<undefined>(processing(), undefined, processing(), undefined),
        settleRefund: inTurn(refundIn('needs_attention', { cause: 'abnormal' }), refundIn('done')),
      },
      async (rig) => {
        await startRefund(rig, refund)
        await rig.engine.refundDecision(refund, randomUUID())
        expect(await resultOf(refund)).toEqual({ state: 'done' })
        expect(rig.calls.filter((call) => call.startsWith('channel'))).toHaveLength(4)
        expect(await attentionOf(refund)).toEqual([null, 'abnormal', null])
      },
    )
  })

  test('closed by the channel: ends as failed', async () => {
    const refund = newRefundSubject()
    await withMocks(
      refund.id,
      {
        decideRefund: () => refundIn('approved'),
        refundAtChannel: () => undefined,
        settleRefund: () => refundIn('failed'),
      },
      async (rig) => {
        await startRefund(rig, refund)
        await rig.engine.refundDecision(refund, randomUUID())
        expect(await resultOf(refund)).toEqual({ state: 'failed' })
      },
    )
  })

  test('a decision after the end: starts it from its row, and it ends again', async () => {
    const refund = newRefundSubject()
    await withMocks(
      refund.id,
      { decideRefund: () => refundIn('rejected'), loadRefund: () => refundIn('rejected') },
      async (rig) => {
        await startRefund(rig, refund)
        await rig.engine.refundDecision(refund, randomUUID())
        await resultOf(refund)
        rig.calls.length = 0
        const late = randomUUID()
        await rig.engine.refundDecision(refund, late)
        expect(await resultOf(refund)).toEqual({ state: 'rejected' })
        expect(rig.calls).toEqual([
          `local loadRefund("${refund.id}")`,
          `local decideRefund("${refund.id}", "${late}")`,
        ])
      },
    )
  })
})

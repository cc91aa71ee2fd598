import { randomUUID } from 'node:crypto'

import { describe, expect, test } from 'vitest'

import { askAgain } from '../../src/activities/failures.js'
import type { RefundSubject } from '../../src/domain/refund.js'
import { kickSignal } from '../../src/workflows/messages.js'
import { textOf } from '../support/history.js'
import {
  newRefundSubject,
  refundIn,
  startRefund,
  useMockedRefunds,
} from '../support/mocked-refunds.js'
import { inTurn } from '../support/mocked-worker.js'

const MINUTE_MS = 60_000
const DAY_MS = 24 * 60 * MINUTE_MS
const { withMocks, handleOf, resultOf, elapsedMs, attentionOf } = useMockedRefunds()
const stuck = () => askAgain('NOTENOUGH', 'no balance', 30 * MINUTE_MS)

/** Until the question has ended: an answer that comes in between would have the step made twice. */
async function isParked(refund: RefundSubject): Promise<void> {
  await expect
    .poll(async () => textOf(await handleOf(refund).fetchHistory()), { timeout: 60_000 })
    .toContain('slow')
}

describe('a kick', () => {
  test('without an id: the question begins anew at once', async () => {
    const refund = newRefundSubject()
    await withMocks(
      refund.id,
      {
        decideRefund: () => refundIn('approved'),
        refundAtChannel: inTurn<undefined>(stuck(), undefined),
        settleRefund: () => refundIn('done'),
      },
      async (rig) => {
        await startRefund(rig, refund)
        await rig.engine.refundDecision(refund, randomUUID())
        await rig.tried('refundAtChannel')
        await rig.engine.refundKick(refund)
        expect(await resultOf(refund)).toEqual({ state: 'done' })
        expect(rig.calls.filter((call) => call.includes('refundAtChannel'))).toHaveLength(2)
        expect(await elapsedMs(refund)).toBeLessThan(MINUTE_MS)
      },
    )
  })

  test('with what a person said: that is applied first', async () => {
    const refund = newRefundSubject()
    const resolutionId = randomUUID()
    await withMocks(
      refund.id,
      {
        decideRefund: () => refundIn('approved'),
        refundAtChannel: inTurn<undefined>(undefined, stuck(), undefined),
        settleRefund: inTurn(refundIn('needs_attention', { cause: 'abnormal' }), refundIn('done')),
        resolveRefund: () => refundIn('refunding'),
      },
      async (rig) => {
        await startRefund(rig, refund)
        await rig.engine.refundDecision(refund, randomUUID())
        await rig.tried('refundAtChannel', 2)
        await rig.engine.refundKick(refund, resolutionId)
        expect(await resultOf(refund)).toEqual({ state: 'done' })
        expect(rig.calls.slice(-3)).toEqual([
          `local resolveRefund("${refund.id}", "${resolutionId}")`,
          `channel refundAtChannel("${refund.id}")`,
          `local settleRefund("${refund.id}")`,
        ])
        expect(await attentionOf(refund)).toEqual([null, 'abnormal', null])
      },
    )
  })

  test('settled by a person: ends, and nothing more is asked', async () => {
    const refund = newRefundSubject()
    await withMocks(
      refund.id,
      {
        decideRefund: () => refundIn('approved'),
        refundAtChannel: inTurn<undefined>(undefined, stuck()),
        settleRefund: () => refundIn('needs_attention', { cause: 'abnormal' }),
        resolveRefund: () => refundIn('settled'),
      },
      async (rig) => {
        await startRefund(rig, refund)
        await rig.engine.refundDecision(refund, randomUUID())
        await rig.tried('refundAtChannel', 2)
        await rig.engine.refundKick(refund, randomUUID())
        expect(await resultOf(refund)).toEqual({ state: 'settled' })
      },
    )
  })

  test('for a workflow that has ended: starts it from its row', async () => {
    const refund = newRefundSubject()
    await withMocks(
      refund.id,
      { loadRefund: () => refundIn('failed'), resolveRefund: () => refundIn('failed') },
      async (rig) => {
        await rig.engine.refundKick(refund, 'r1')
        expect(await resultOf(refund)).toEqual({ state: 'failed' })
        expect(rig.calls).toEqual([
          `local loadRefund("${refund.id}")`,
          `local resolveRefund("${refund.id}", "r1")`,
        ])
      },
    )
  })

  test.each([[42], [{}], [null]])('raw, with %j for an id: only asks again', async (id) => {
    const refund = newRefundSubject()
    await withMocks(refund.id, { expireRefund: () => refundIn('expired') }, async (rig) => {
      await startRefund(rig, refund)
      await handleOf(refund).signal(kickSignal, id as unknown as string)
      expect(await resultOf(refund)).toEqual({ state: 'expired' })
      expect(rig.calls).toEqual([`local expireRefund("${refund.id}")`])
    })
  })
})

describe('a slow card', () => {
  test('handed over to the loop: nothing is asked until it tells', async () => {
    const refund = newRefundSubject()
    await withMocks(
      refund.id,
      {
        decideRefund: () => refundIn('approved'),
        refundAtChannel: () => 'slow',
        confirmRefund: () => refundIn('done'),
      },
      async (rig) => {
        await startRefund(rig, refund)
        await rig.engine.refundDecision(refund, randomUUID())
        await isParked(refund)
        await rig.engine.refundFact(refund, randomUUID())
        expect(await resultOf(refund)).toEqual({ state: 'done' })
        expect(rig.calls.slice(1)).toEqual([
          `channel refundAtChannel("${refund.id}")`,
          `local confirmRefund("${refund.id}")`,
        ])
      },
    )
  })

  test('told that it needs a person: is asked for again by itself', async () => {
    const refund = newRefundSubject()
    await withMocks(
      refund.id,
      {
        decideRefund: () => refundIn('approved'),
        refundAtChannel: inTurn<'slow' | undefined>('slow', undefined),
        confirmRefund: () => refundIn('needs_attention', { cause: 'abnormal' }),
        settleRefund: () => refundIn('done'),
      },
      async (rig) => {
        await startRefund(rig, refund)
        await rig.engine.refundDecision(refund, randomUUID())
        await isParked(refund)
        await rig.engine.refundFact(refund, randomUUID())
        expect(await resultOf(refund)).toEqual({ state: 'done' })
        expect(await elapsedMs(refund)).toBeLessThan(DAY_MS)
      },
    )
  })
})

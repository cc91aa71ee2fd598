import { randomUUID } from 'node:crypto'

import { describe, expect, test } from 'vitest'

import { askAgain } from '../../src/activities/failures.js'
import type { RefundAsked } from '../../src/activities/progress.js'
import {
  newRefundSubject,
  refundIn,
  startRefund,
  useMockedRefunds,
} from '../support/mocked-refunds.js'
import { inTurn } from '../support/mocked-worker.js'

const { withMocks, resultOf, attentionOf } = useMockedRefunds()
const waits = () => askAgain('CREDENTIALS', 'The account must be set right.', 5 * 60_000)

describe('a refund whose account must be set right', () => {
  test('held, probed, released and done: shows it as long as it lasts', async () => {
    const refund = newRefundSubject()
    await withMocks(
      refund.id,
      {
        decideRefund: () => refundIn('approved'),
        refundAtChannel: inTurn<RefundAsked>('held', waits(), waits(), 'released', undefined),
        settleRefund: () => refundIn('done'),
      },
      async (rig) => {
        await startRefund(rig, refund)
        await rig.engine.refundDecision(refund, randomUUID())
        expect(await resultOf(refund)).toEqual({ state: 'done' })
        expect(await attentionOf(refund)).toEqual([null, 'credentials', null])
        expect(rig.calls.filter((call) => call.startsWith('channel'))).toEqual([
          `channel refundAtChannel("${refund.id}")`,
          ...Array.from({ length: 3 }, () => `channel refundAtChannel("${refund.id}", true)`),
          `channel refundAtChannel("${refund.id}")`,
        ])
      },
    )
  })

  test('kicked and decided about meanwhile: goes on showing it', async () => {
    const refund = newRefundSubject()
    await withMocks(
      refund.id,
      {
        decideRefund: inTurn(
          refundIn('approved'),
          refundIn('approved', { note: 'A decision came too late.' }),
        ),
        refundAtChannel: inTurn<RefundAsked>('held', waits(), 'released', undefined),
        settleRefund: () => refundIn('done'),
      },
      async (rig) => {
        await startRefund(rig, refund)
        await rig.engine.refundDecision(refund, randomUUID())
        await rig.tried('refundAtChannel', 2)
        await rig.engine.refundDecision(refund, randomUUID())
        await rig.tried('decideRefund', 2)
        await rig.engine.refundKick(refund)
        expect(await resultOf(refund)).toEqual({ state: 'done' })
        expect(await attentionOf(refund)).toEqual([null, 'credentials', null])
      },
    )
  })

  test('withdrawn meanwhile: no longer needs anybody', async () => {
    const refund = newRefundSubject()
    await withMocks(
      refund.id,
      {
        decideRefund: inTurn(refundIn('approved'), refundIn('cancelled')),
        refundAtChannel: inTurn<RefundAsked>('held', waits()),
      },
      async (rig) => {
        await startRefund(rig, refund)
        await rig.engine.refundDecision(refund, randomUUID())
        await rig.tried('refundAtChannel', 2)
        await rig.engine.refundDecision(refund, randomUUID())
        expect(await resultOf(refund)).toEqual({ state: 'cancelled' })
        expect(await attentionOf(refund)).toEqual([null, 'credentials', null])
      },
    )
  })
})

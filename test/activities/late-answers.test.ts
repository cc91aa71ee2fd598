import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'

import type { RefundRow } from '../../src/db/refunds.js'
import type { SubmitOutcome } from '../../src/domain/channel.js'
import { fen } from '../../src/domain/money.js'
import { refundTraces } from '../support/refund-traces.js'
import { failureOf, runActivity } from '../support/run-activity.js'
import { refundFact } from '../support/seed.js'
import { useWorkshop } from '../support/workshop.js'

const workshop = useWorkshop()
const { clock, channel } = workshop

// What one test sent must not make the next one wait.
beforeEach(() => clock.advance(600_000))

const attempt = (refund: RefundRow) => runActivity(workshop.activities.refundAtChannel, [refund.id])

const accepts = (refund: RefundRow): SubmitOutcome => ({
  kind: 'accepted',
  refundId: `50000${refund.outRefundNo.slice(1)}`,
  refundFen: fen(refund.amountFen),
  settlementFen: fen(refund.amountFen),
})

/** A worker is thought to be dead and waits for its answer, while `another` goes on. */
async function answeredLate(
  refund: RefundRow,
  answer: SubmitOutcome,
  another: () => Promise<unknown>,
): Promise<void> {
  const usual = channel.submitRefund
  const restore = (): void => {
    channel.submitRefund = usual
  }
  onTestFinished(restore)
  channel.submitRefund = async () => {
    restore()
    await another()
    return answer
  }
  expect(await attempt(refund)).toBeUndefined()
}

const LATE: readonly [string, (refund: RefundRow) => SubmitOutcome][] = [
  ['accepted, too', accepts],
  [
    'accepted with another amount',
    (refund) => ({ ...accepts(refund), refundFen: fen(1) }) as never,
  ],
  ['refused', () => ({ kind: 'refused', code: 'TRADE_OVERDUE', message: 'too old' })],
  ['never', () => ({ kind: 'unknown', code: 'timeout', message: '', retry: 'soon' })],
]

describe('an answer to a submit that comes after another worker has gone on', () => {
  test.each(LATE)('%s: what was accepted is booked once and stays', async (_how, late) => {
    const refund = await workshop.seed.approvedRefund(await workshop.seed.paidPayment())
    await answeredLate(refund, late(refund), async () => {
      channel.answer('submitRefund', accepts(refund))
      expect(await failureOf(attempt(refund))).toMatchObject({ type: 'PROCESSING' })
    })
    expect(await workshop.seed.readRefund(refund.id)).toMatchObject({
      state: 'refunding',
      cause: 'accepted',
      transitRound: 1,
      submitCount: 2,
    })
    const { journal, events } = await refundTraces(workshop.seed, refund.id)
    expect(journal).toEqual(['J1.1 1000'])
    expect(events).toEqual(['refund.requested', 'refund.accepted'])
  })

  test.each(LATE)('%s: what is done stays done', async (_how, late) => {
    const refund = await workshop.seed.approvedRefund(await workshop.seed.paidPayment())
    await answeredLate(refund, late(refund), async () => {
      channel.answer('submitRefund', accepts(refund))
      await failureOf(attempt(refund))
      channel.answer('queryRefund', refundFact(refund, 'success'))
      await attempt(refund)
      await workshop.activities.settleRefund(refund.id)
    })
    expect(await workshop.seed.readRefund(refund.id)).toMatchObject({ state: 'done', cause: null })
    const { journal } = await refundTraces(workshop.seed, refund.id)
    expect(journal).toEqual(['J1.1 1000', 'J2.1 1000'])
  })
})

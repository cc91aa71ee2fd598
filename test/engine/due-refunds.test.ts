import { beforeEach, describe, expect, test } from 'vitest'

import type { RefundRow } from '../../src/db/refunds.js'
import type { RefundOutcome } from '../../src/domain/channel.js'
import { fen } from '../../src/domain/money.js'
import { createDueRefunds } from '../../src/engine/due-refunds.js'
import { failureOf, runActivity } from '../support/run-activity.js'
import { refundFact } from '../support/seed.js'
import { useWorkshop } from '../support/workshop.js'

const workshop = useWorkshop()
const { clock, channel } = workshop
const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

let told: string[]
let errors: unknown[]

beforeEach(async () => {
  told = []
  errors = []
  channel.calls.length = 0
  channel.answer('submitRefund').answer('queryRefund')
  await workshop.seed.look('update refunds set due_at = null')
})

const tick = () =>
  createDueRefunds({
    database: workshop.seed.worker,
    clock,
    openAccount: async () => ({ account: workshop.seed.account, channel }),
    onError: (error) => errors.push(error),
    engine: {
      refundFact: async ({ outRefundNo }) => {
        told.push(outRefundNo)
      },
      refundKick: async () => undefined,
    },
  })()

const attempt = (refund: RefundRow) => runActivity(workshop.activities.refundAtChannel, [refund.id])
const read = (refund: RefundRow) => workshop.seed.readRefund(refund.id)

/** A refund that was accepted an hour ago; its activity has just handed it over to the loop. */
async function slow(): Promise<RefundRow> {
  const payment = await workshop.seed.paidPayment()
  const refund = await workshop.seed.approvedRefund(payment)
  const { refundId, settlementFen } = refundFact(refund, 'processing')
  const refundFen = fen(refund.amountFen)
  channel.answer('submitRefund', { kind: 'accepted', refundId, refundFen, settlementFen })
  await failureOf(attempt(refund))
  channel.answer('queryRefund', refundFact(refund, 'processing'))
  clock.advance(HOUR_MS - 1)
  expect(await failureOf(attempt(refund))).toMatchObject({ type: 'PROCESSING' })
  clock.advance(1)
  expect(await attempt(refund)).toBe('slow')
  channel.calls.length = 0
  return read(refund)
}

describe('slow refunds', () => {
  test('after an hour: the activity hands over, and says since when it is slow', async () => {
    const refund = await slow()
    expect(refund).toMatchObject({ state: 'refunding', cause: 'accepted', slowAt: clock.now() })
    expect(await tick()).toBe(0)
    clock.advance(HOUR_MS)
    expect(await attempt(refund)).toBe('slow')
    expect((await read(refund)).slowAt).toEqual(refund.slowAt)
  })

  test('questions: come by the plan, tell nobody and store nothing', async () => {
    const refund = await slow()
    await workshop.seed.change(refund, { queryCount: 4 })
    const waits: number[] = []
    for (let n = 0; n < 5; n += 1) {
      const [due] = await workshop.seed.look<{ at: Date }>(
        'select due_at as at from refunds where id = $1',
        refund.id,
      )
      const waitMs = (due?.at.getTime() ?? 0) - clock.now().getTime()
      waits.push(waitMs / MINUTE_MS)
      clock.advance(waitMs - 1)
      expect(await tick()).toBe(0)
      clock.advance(1)
      expect(await tick()).toBe(1)
    }
    expect(waits).toEqual([1, 5, 10, 20, 30])
    expect(told).toEqual([])
    expect(channel.names()).toHaveLength(5)
  })

  test.each([
    ['success', 'done'],
    ['closed', 'failed'],
    ['abnormal', 'needs_attention'],
  ] as const)('%s: is a row, then a message, and settling makes it %s', async (status, state) => {
    const refund = await slow()
    channel.answer('queryRefund', refundFact(refund, status))
    clock.advance(HOUR_MS)
    expect(await tick()).toBe(1)
    expect(told).toEqual([refund.outRefundNo])
    // The workflow has the answer confirmed, for which nobody asks the channel once more.
    channel.calls.length = 0
    expect(await runActivity(workshop.activities.confirmRefund, [refund.id])).toMatchObject({
      state,
    })
    expect(channel.calls).toEqual([])
    clock.advance(HOUR_MS)
    expect(await tick()).toBe(0)
  })

  test.each<[string, RefundOutcome]>([
    ['no answer', { kind: 'unknown', code: 'timeout', message: '', retry: 'soon' }],
    ['a number the channel does not know', { kind: 'not_exist' }],
  ])('%s: decides nothing, and is asked again', async (_name, outcome) => {
    const refund = await slow()
    channel.answer('queryRefund', outcome)
    clock.advance(HOUR_MS)
    expect(await tick()).toBe(1)
    expect(told).toEqual([])
    expect(await read(refund)).toMatchObject({ state: 'refunding', cause: 'accepted' })
  })

  test('two workers at once: each refund is asked for by one of them', async () => {
    const refunds = [await slow(), await slow(), await slow()]
    channel.answer('queryRefund', { kind: 'not_exist' })
    clock.advance(HOUR_MS)
    const counts = await Promise.all([tick(), tick()])
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(refunds.length)
    expect(channel.calls).toHaveLength(refunds.length)
  })

  test('sent again by a person: is no longer slow', async () => {
    const refund = await slow()
    await workshop.seed.change(refund, { state: 'needs_attention', cause: 'refused' })
    await workshop.seed.change(refund, { state: 'refunding', cause: null })
    const { refundId, settlementFen } = refundFact(refund, 'processing')
    const refundFen = fen(refund.amountFen)
    channel.answer('submitRefund', { kind: 'accepted', refundId, refundFen, settlementFen })
    await attempt(refund).catch(() => undefined)
    expect(await read(refund)).toMatchObject({ slowAt: null })
  })
})

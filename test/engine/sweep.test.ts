import { beforeEach, describe, expect, test } from 'vitest'

import type { PaymentRow } from '../../src/db/payments.js'
import type { RefundChange, RefundRow } from '../../src/db/refunds.js'
import type { OpenRow } from '../../src/db/sweep.js'
import { createSweep } from '../../src/engine/sweep.js'
import { useWorkshop } from '../support/workshop.js'

const MINUTE_MS = 60_000
/** Of a test's rows; the sweep's own patience is three minutes. */
const EXPIRES_IN_MS = 20 * MINUTE_MS

const workshop = useWorkshop()
const { clock } = workshop

let running: Set<string>
let looked: string[]
let started: OpenRow[]
let errors: unknown[]
let isEngineAway: boolean
let isStartRefused: boolean

beforeEach(async () => {
  running = new Set()
  looked = []
  started = []
  errors = []
  isEngineAway = false
  isStartRefused = false
  // What an earlier test left open would be found here, too.
  await workshop.seed.look(`update payments set state = 'closed', due_at = null
    where state in ('created', 'awaiting_payment')`)
  await workshop.seed.look(`update refunds set state = 'cancelled'
    where state in ('pending', 'approved')`)
  await workshop.seed.look(`update refunds set state = 'failed'
    where state in ('refunding', 'needs_attention')`)
})

const resume = async (row: { id: string }, workflowId: string) => {
  if (isStartRefused) throw new Error('the engine does not start it')
  started.push(row as OpenRow)
  running.add(workflowId)
}

const tick = () =>
  createSweep({
    database: workshop.seed.worker,
    clock,
    onStarted: () => undefined,
    onError: (error) => errors.push(error),
    engine: {
      async isRunning(workflowId) {
        if (isEngineAway) throw new Error('the engine is away')
        looked.push(workflowId)
        return running.has(workflowId)
      },
      resumePayment: (row) => resume(row, `payment:${row.merchantId}:${row.outTradeNo}`),
      resumeRefund: (row) => resume(row, `refund:${row.merchantId}:${row.outRefundNo}`),
    },
  })()

/** The minutes from now at which something is looked at. */
async function minutesLookedAt(minutes: number): Promise<number[]> {
  const at: number[] = []
  for (let minute = 0; minute <= minutes; minute += 1) {
    if ((await tick()) > 0) at.push(minute)
    clock.advance(MINUTE_MS)
  }
  return at
}

/** In how many minutes from now something is looked at for the first time. */
async function firstLook(minutesMax: number): Promise<number | undefined> {
  for (let minute = 0; minute <= minutesMax; minute += 1) {
    if ((await tick()) > 0) return minute
    clock.advance(MINUTE_MS)
  }
  return undefined
}

const place = (payment: PaymentRow) =>
  workshop.seed.look(
    `update payments set state = 'awaiting_payment', due_at = $2 where id = $1`,
    payment.id,
    clock.now(),
  )

async function refundIn(change: RefundChange | 'pending'): Promise<RefundRow> {
  const payment = await workshop.seed.paidPayment()
  const refund = await workshop.seed.refund(payment, { expiresInMs: EXPIRES_IN_MS })
  if (change === 'pending') return refund
  await workshop.seed.change(refund, { state: 'approved' })
  return workshop.seed.change(refund, change)
}

describe('sweep: payments', () => {
  test('sweep: a payment whose workflow never began: is started after 3 minutes', async () => {
    const payment = await workshop.seed.payment({ expiresInMs: EXPIRES_IN_MS })
    expect(await minutesLookedAt(4)).toEqual([3])
    expect(looked).toEqual([`payment:teahouse:${payment.outTradeNo}`])
    expect(started).toMatchObject([{ kind: 'payment', id: payment.id, totalFen: 10_000 }])
  })

  test('sweep: a payment that waits for its buyer: is looked at when it expires', async () => {
    await place(await workshop.seed.payment({ expiresInMs: EXPIRES_IN_MS }))
    expect(await minutesLookedAt(24)).toEqual([23])
    expect(started).toHaveLength(1)
  })

  test('sweep: a workflow that runs: is left alone, and looked at ever more rarely', async () => {
    const payment = await workshop.seed.payment({ expiresInMs: EXPIRES_IN_MS })
    await place(payment)
    running.add(`payment:teahouse:${payment.outTradeNo}`)
    const at = await minutesLookedAt(400)
    expect(started).toEqual([])
    expect(at).toEqual([23, 33, 46, 72, 124, 184, 244, 304, 364])
  })

  test('sweep: a payment that is over: is not looked at', async () => {
    await workshop.seed.paidPayment()
    expect(await minutesLookedAt(40)).toEqual([])
  })
})

const inMinutes = (minutes: number): Date => new Date(clock.now().getTime() + minutes * MINUTE_MS)

describe('sweep: refunds', () => {
  test.each<[string, () => RefundChange | 'pending', number | undefined]>([
    ['waits for a decision: after its reminder', () => 'pending', 13],
    ['was approved: three minutes after it was asked for', () => ({}), 3],
    [
      'has its turn later: after its turn',
      () => ({ holdReason: 'spacing', holdUntil: inMinutes(5) }),
      8,
    ],
    ['is stopped: never, a loop watches it', () => ({ holdReason: 'stopped' }), undefined],
    [
      'is held for its balance: never, a loop watches it',
      () => ({ holdReason: 'balance', holdUntil: inMinutes(5) }),
      undefined,
    ],
    [
      'was sent: three minutes after that',
      () => ({
        state: 'refunding',
        cause: 'accepted',
        firstSubmittedAt: clock.now(),
        lastSubmittedAt: inMinutes(1),
      }),
      4,
    ],
    [
      'takes long: never, a loop asks for it',
      () => ({
        state: 'refunding',
        cause: 'accepted',
        firstSubmittedAt: clock.now(),
        lastSubmittedAt: clock.now(),
        dueAt: inMinutes(30),
      }),
      undefined,
    ],
  ])('sweep: a refund that %s', async (_what, change, at) => {
    const refund = await refundIn(change())
    expect(await firstLook(25)).toBe(at)
    const its = at === undefined ? [] : [`refund:teahouse:${refund.outRefundNo}`]
    expect(looked).toEqual(its)
    expect(started).toHaveLength(its.length)
  })

  test('sweep: a refund that needs a person: is looked at while no loop asks', async () => {
    const sentAt = clock.now()
    const sent = { firstSubmittedAt: sentAt, lastSubmittedAt: sentAt }
    const refund = await refundIn({ state: 'refunding', cause: 'accepted', ...sent })
    await workshop.seed.change(refund, { state: 'needs_attention', cause: 'abnormal' })
    expect(await minutesLookedAt(4)).toEqual([3])
  })

  test('sweep: the steps of waiting: reminder, deadline, and once more after it', async () => {
    const payment = await workshop.seed.paidPayment()
    const refund = await workshop.seed.refund(payment, { expiresInMs: 40 * MINUTE_MS })
    running.add(`refund:teahouse:${refund.outRefundNo}`)
    const askedAtMs = clock.now().getTime()
    const untilLook = async () => {
      await firstLook(60)
      return (clock.now().getTime() - askedAtMs) / MINUTE_MS
    }
    expect(await untilLook()).toBe(20 + 3)
    await workshop.seed.change(refund, { remindedAt: clock.now() })
    expect(await untilLook()).toBe(40 + 3)
    await workshop.seed.change(refund, { escalatedAt: clock.now() })
    expect(await untilLook()).toBe(43 + 40 + 3)
    expect(started).toEqual([])
  })
})

describe('sweep: the engine', () => {
  test('sweep: the engine away: the row is looked at again a minute later', async () => {
    await workshop.seed.payment({ expiresInMs: EXPIRES_IN_MS })
    clock.advance(3 * MINUTE_MS)
    isEngineAway = true
    expect(await tick()).toBe(1)
    expect(errors).toEqual([new Error('the engine is away')])
    isEngineAway = false
    expect(await minutesLookedAt(2)).toEqual([1])
    expect(started).toHaveLength(1)
  })

  test('sweep: a start that fails: is told of, and tried again a minute later', async () => {
    await workshop.seed.payment({ expiresInMs: EXPIRES_IN_MS })
    clock.advance(3 * MINUTE_MS)
    isStartRefused = true
    expect(await tick()).toBe(1)
    expect(errors).toEqual([new Error('the engine does not start it')])
    isStartRefused = false
    expect(await minutesLookedAt(2)).toEqual([1])
    expect(started).toHaveLength(1)
  })

  test('sweep: more than one batch: each tick takes those that wait longest', async () => {
    for (let count = 0; count < 103; count += 1) await workshop.seed.payment()
    clock.advance(4 * MINUTE_MS)
    expect([await tick(), await tick(), await tick()]).toEqual([100, 3, 0])
    expect(new Set(started.map(({ id }) => id)).size).toBe(103)
  })
})

import { describe, expect, test } from 'vitest'

import { ArmedFaults } from '../../src/chaos/armed-faults.js'
import type { PlannedFault } from '../../src/chaos/plan.js'
import type { ArmedFault, LoggedCall, SentNotification } from '../../src/chaos/sandbox-desk.js'

const ORDER = { outTradeNo: 'chaos-1-0' }
const REFUND = { ...ORDER, outRefundNo: 'R1' }

/** A sandbox that says what the test lets it say, and notes what is armed. */
function open(records: { calls?: LoggedCall[]; notifications?: SentNotification[] } = {}) {
  const armed: ArmedFault[] = []
  const faults = new ArmedFaults(
    {
      arm: async (more) => void armed.push(...more),
      calls: async () => records.calls ?? [],
      notifications: async () => records.notifications ?? [],
    },
    '1900000001',
  )
  return { armed, faults }
}

const call = (answered: string, about: object = ORDER): LoggedCall => ({
  call: 'refund',
  outTradeNo: null,
  outRefundNo: null,
  ...about,
  answered,
})

const notification = (fault: string | null): SentNotification => ({
  kind: 'payment',
  ...ORDER,
  outRefundNo: null,
  url: 'http://127.0.0.1:1/notify/t/payment',
  state: 'delivered',
  tries: [{ at: '2026-01-01T00:00:00.000Z', outcome: 'success', fault }],
})

const HTML: PlannedFault = { kind: 'html_page', call: 'refund' }
const LATE: PlannedFault = { kind: 'notification_late', call: 'notify_payment' }
const LOST: PlannedFault = { kind: 'notification_lost', call: 'notify_payment' }
const CHANGE: PlannedFault = { kind: 'change', call: 'refund' }

describe('armed faults', () => {
  test('of an order and of a refund: are matched by their own numbers', async () => {
    const { armed, faults } = open()
    await faults.arm([LATE], ORDER)
    await faults.arm([HTML], REFUND)
    expect(armed.map(({ match }) => match)).toEqual([
      { call: 'notify_payment', outTradeNo: 'chaos-1-0' },
      { call: 'refund', outRefundNo: 'R1' },
    ])
  })

  test.each([
    ['the log has it', HTML, { calls: [call('html', REFUND)] }, 1],
    ['the log has another answer', HTML, { calls: [call('SUCCESS', REFUND)] }, 0],
    ['the log has it of another refund', HTML, { calls: [call('html', { outRefundNo: 'R2' })] }, 0],
    ['a try has it', LATE, { notifications: [notification('late')] }, 1],
    ['a try has none', LATE, { notifications: [notification(null)] }, 0],
    ['nothing is recorded', LATE, {}, 0],
  ])('where %s: have happened so often', async (_, fault, records, times) => {
    const { faults } = open(records)
    await faults.arm([fault], fault === HTML ? REFUND : ORDER)
    const counts = faults.countHappened(await faults.evidence())
    expect(counts[fault.kind] ?? 0).toBe(times)
  })

  test('that end in CHANGE: have happened once a person brought the refund out of it', async () => {
    const { faults } = open({ calls: [call('SUCCESS', REFUND)] })
    await faults.arm([CHANGE], REFUND)
    expect(faults.countHappened(await faults.evidence())).toEqual({})
    faults.resolved.add('R1')
    expect(faults.countHappened(await faults.evidence())).toEqual({ change: 1 })
  })

  test('of a sandbox that was killed: are armed again where they did not happen yet', async () => {
    const records = { calls: [call('html', REFUND)], notifications: [notification('lost')] }
    const { armed, faults } = open(records)
    await faults.arm([HTML], REFUND)
    await faults.arm([LOST, LATE], ORDER)
    armed.length = 0
    await faults.armAgain()
    // What is lost is lost for good, so it is armed again although it has happened.
    expect(armed.map(({ fault }) => fault)).toEqual(['lost', 'late'])
  })
})

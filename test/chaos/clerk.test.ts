import { describe, expect, test } from 'vitest'

import { Clerk } from '../../src/chaos/clerk.js'
import type { RefundAnswer } from '../../src/chaos/client.js'
import type { TakenRefund } from '../../src/chaos/driver.js'
import type { PlannedPortalRefund } from '../../src/chaos/plan.js'

const MCH_ID = '1900000001'

const RACE: PlannedPortalRefund = {
  kind: 'portal_refund_race',
  amountFen: 900,
  isAfterApproval: false,
}

const answer = (now: Partial<RefundAnswer>): RefundAnswer => ({
  id: 'id-R1',
  outRefundNo: 'R1',
  state: 'approved',
  cause: null,
  holdReason: null,
  ...now,
})

/** A refund of the drill, with what somebody made by hand against it. */
function taken(portal: PlannedPortalRefund | undefined, isFrozen = false): TakenRefund {
  const plan: TakenRefund['plan'] = {
    amountFen: 500,
    decision: 'approve',
    faults: isFrozen ? [{ kind: 'change', call: 'refund' }] : [],
  }
  return {
    plan,
    order: {
      n: 0,
      outTradeNo: 'chaos-1-0',
      amountFen: 1_000,
      buyer: 'pays',
      refunds: [plan],
      isGreedy: false,
      portal,
      faults: [],
    },
    answer: answer({}),
    payment: {
      id: 'id-P1',
      outTradeNo: 'chaos-1-0',
      state: 'paid',
      disposition: 'accepted',
      amountFen: 1_000,
      reservedFen: 500,
      refundedFen: 0,
    },
    decision: 'approve',
  }
}

/** A clerk in front of an API that says one thing of the refund, and notes what it is told. */
function open(now: Partial<RefundAnswer>, toGivingUp: object = {}) {
  const told: string[] = []
  const faults = { resolved: new Set<string>() }
  const clerk = new Clerk({
    client: {
      refund: async () => answer(now),
      cancel: async (id) => ({ [`cancelled ${id}`]: told.push('cancel') }),
      giveUp: async () => {
        told.push('give up')
        return toGivingUp
      },
    },
    desk: {
      resolve: async (_, outRefundNo) => told.push(`resolve ${outRefundNo}`) > 0,
    },
    faults,
    mchId: MCH_ID,
  })
  return { clerk, told, faults }
}

describe('the clerk of a drill', () => {
  test('a refund that is held as too much: is withdrawn, and counts as stopped', async () => {
    const { clerk, told } = open({ state: 'approved', holdReason: 'over_reserved' })
    await clerk.attend([taken(RACE)])
    expect(told).toEqual(['cancel'])
    expect(clerk.stopped.size).toBe(1)
  })

  test('one that the channel refused, as the portal was faster: is given up', async () => {
    const { clerk, told } = open({ state: 'needs_attention', cause: 'refused' })
    await clerk.attend([taken(RACE)])
    expect(told).toEqual(['give up'])
    expect([clerk.refused.size, clerk.resting.size]).toEqual([1, 0])
  })

  test('one that only a day proves was never taken: rests, and is given up once', async () => {
    const now = { state: 'needs_attention', cause: 'refused' } as const
    const { clerk, told } = open(now, { refused: 'refund_not_proved' })
    const refund = taken(RACE)
    await clerk.attend([refund])
    await clerk.attend([refund])
    expect(told).toEqual(['give up'])
    expect(clerk.resting.size).toBe(1)
  })

  test('one to a frozen card: is resolved at the channel', async () => {
    const { clerk, told, faults } = open({ state: 'needs_attention', cause: 'abnormal' })
    await clerk.attend([taken(undefined, true)])
    expect(told).toEqual(['resolve R1'])
    expect([...faults.resolved]).toEqual(['R1'])
  })

  test.each([
    ['refused without anybody by hand', taken(undefined, true), 'refused', ['resolve R1']],
    ['refused without a plan for it', taken(undefined), 'refused', []],
  ] as const)('one that is %s: is not given up', async (_, refund, cause, expected) => {
    const { clerk, told } = open({ state: 'needs_attention', cause })
    await clerk.attend([refund])
    expect(told).toEqual(expected)
    expect(clerk.refused.size).toBe(0)
  })
})

import { describe, expect, test } from 'vitest'

import {
  ARMED_KINDS,
  CALLS_OF_KIND,
  FAULT_KINDS,
  PORTAL_KINDS,
  STRIKE_KINDS,
  type FaultKind,
} from '../../src/chaos/kinds.js'
import {
  countFaults,
  makePlan,
  PlanError,
  type Plan,
  type PlannedFault,
  type PlannedOrder,
} from '../../src/chaos/plan.js'
import { PROFILES, type ProfileName } from '../../src/chaos/profiles.js'

const storm = (payments: number, seed: number): Plan =>
  makePlan({ payments, seed, profile: 'storm' })

const sumFen = (order: Plan['orders'][number]): number =>
  order.refunds.reduce((sum, { amountFen }) => sum + amountFen, 0)

const profiles = Object.keys(PROFILES) as ProfileName[]

/** How many faults of the channel a plan has of each kind. */
function timesOfFaults(plan: Plan): [kind: string, times: number][] {
  const strikes = new Set<string>(STRIKE_KINDS)
  return Object.entries(countFaults(plan)).filter(([kind]) => !strikes.has(kind))
}

/** An order as lines that are short enough to be read. */
function said({ outTradeNo, amountFen, refunds, portal, faults }: PlannedOrder): string[] {
  const struck = (each: readonly PlannedFault[]): string[] =>
    each.map(({ kind, call }) => `  ${call}: ${kind}`)
  return [
    `${outTradeNo} ${amountFen}`,
    ...struck(faults),
    ...(portal === undefined ? [] : [`${portal.kind} ${portal.amountFen}`]),
    ...refunds.flatMap((each) => [`${each.decision} ${each.amountFen}`, ...struck(each.faults)]),
  ]
}

describe('a plan', () => {
  test.each(profiles)('of the same seed and the profile %s: is the same', (profile) => {
    const wanted = { payments: 40, seed: 12, profile }
    expect(JSON.stringify(makePlan(wanted))).toBe(JSON.stringify(makePlan(wanted)))
  })

  test('of another profile: is another', () => {
    const plans = profiles.map((profile) => makePlan({ payments: 40, seed: 12, profile }).orders)
    expect(new Set(plans.map((orders) => JSON.stringify(orders))).size).toBe(profiles.length)
  })

  test('of another seed: is another', () => {
    expect(storm(40, 12).orders).not.toEqual(storm(40, 13).orders)
    expect(storm(40, 12).strikes).not.toEqual(storm(40, 13).strikes)
  })

  test('of three orders: is as it was', () => {
    const { orders, strikes } = storm(3, 1)
    expect(orders.flatMap(said)).toMatchInlineSnapshot(`
      [
        "chaos-1-0 25624",
        "  notify_payment: notification_late",
        "portal_refund 941",
        "approve 23755",
        "  notify_refund: notification_lost",
        "  refundquery: timeout_before_effect",
        "  refund: rate_limited",
        "chaos-1-1 8742",
        "  notify_payment: notification_reordered",
        "  unifiedorder: too_many_requests",
        "approve 8742",
        "  notify_refund: notification_forged",
        "  refundquery: system_error",
        "  refund: html_page",
        "chaos-1-2 27489",
        "  notify_payment: notification_duplicated",
        "  unifiedorder: timeout_after_effect",
        "approve 26404",
        "approve 14029",
      ]
    `)
    expect(strikes.map(({ kind, afterOrders }) => `${kind} ${afterOrders}`)).toMatchInlineSnapshot(`
      [
        "temporal_killed 0",
        "workers_killed 0",
        "postgres_restarted 0",
        "process_clock_jump 1",
        "worker_killed 1",
        "apis_killed 1",
        "channel_clock_jump 2",
        "api_killed 2",
        "sandbox_killed 2",
      ]
    `)
  })

  test('of nothing, or of too much: is refused with a sentence', () => {
    expect(() => storm(0, 1)).toThrow(new PlanError('A plan of no payments asks for nothing.'))
    expect(() => storm(20_001, 1)).toThrow('A plan has at most 20000 payments.')
  })

  test.each([1, 2, 3, 4, 5])('of 60 orders and seed %i: has every kind of its profile', (seed) => {
    const counts = countFaults(storm(60, seed))
    expect(Object.keys(counts).toSorted()).toEqual([...PROFILES.storm.kinds].toSorted())
  })

  test.each([1, 2, 3])(
    'of seed %i: never gives back more than was paid, but when greedy',
    (seed) => {
      for (const order of storm(300, seed).orders) {
        const all = [order.amountFen, ...order.refunds.map(({ amountFen }) => amountFen)]
        expect(all.every((fen) => Number.isSafeInteger(fen) && fen > 0)).toBe(true)
        const byHandFen = order.portal?.kind === 'portal_refund' ? order.portal.amountFen : 0
        if (!order.isGreedy) expect(sumFen(order) + byHandFen).toBeLessThanOrEqual(order.amountFen)
      }
    },
  )

  test('with greedy orders: asks there for any two to be more than was paid', () => {
    const greedy = storm(300, 4).orders.filter(({ isGreedy }) => isGreedy)
    expect(greedy.length).toBeGreaterThan(0)
    for (const order of greedy) {
      const [one, other] = order.refunds
      expect((one?.amountFen ?? 0) + (other?.amountFen ?? 0)).toBeGreaterThan(order.amountFen)
    }
  })

  test('with faults: has one for a call at most, and only where it can strike', () => {
    for (const { faults, refunds } of storm(300, 5).orders) {
      for (const group of [faults, ...refunds.map((refund) => refund.faults)]) {
        const calls = group.map(({ call }) => call)
        expect(new Set(calls).size).toBe(calls.length)
        for (const { kind, call } of group) expect(CALLS_OF_KIND[kind]).toContain(call)
      }
    }
  })

  test('with a fault of a question: also loses the notification, or nothing would be asked', () => {
    const asked = storm(300, 6).orders.filter(({ faults }) =>
      faults.some(({ call }) => call === 'orderquery'),
    )
    expect(asked.length).toBeGreaterThan(0)
    for (const { faults } of asked) {
      expect(faults).toContainEqual({ kind: 'notification_lost', call: 'notify_payment' })
    }
  })

  test('with refunds by hand against ours: takes more than is left, of one that is sound', () => {
    const contested = storm(300, 8).orders.filter(
      ({ portal }) => portal !== undefined && portal.kind !== 'portal_refund',
    )
    expect(new Set(contested.map(({ portal }) => portal?.kind)).size).toBe(2)
    for (const order of contested) {
      const byHandFen = order.portal?.amountFen ?? 0
      expect(byHandFen).toBeLessThanOrEqual(order.amountFen)
      expect(sumFen(order) + byHandFen).toBeGreaterThan(order.amountFen)
      expect(order.refunds).toMatchObject([{ decision: 'approve', faults: [] }])
    }
  })

  test('of forty orders and more: has two of every fault, as an order may end before one', () => {
    const faults = timesOfFaults(storm(40, 9))
    expect(faults).toHaveLength(ARMED_KINDS.length + PORTAL_KINDS.length)
    expect(faults.filter(([, times]) => times < 2)).toEqual([])
  })

  test('with strikes: has them in order, while orders are still begun', () => {
    const { strikes } = storm(200, 7)
    const moments = strikes.map(({ afterOrders }) => afterOrders)
    expect(moments).toEqual(moments.toSorted((one, other) => one - other))
    expect(moments.every((orders) => orders > 0 && orders < 200)).toBe(true)
    expect(strikes.every(({ target }) => target < 2)).toBe(true)
  })
})

describe('a profile', () => {
  test.each(profiles)('%s: plans its own kinds only', (profile) => {
    const planned = Object.keys(countFaults(makePlan({ payments: 100, seed: 1, profile })))
    expect(planned.toSorted()).toEqual([...PROFILES[profile].kinds].toSorted())
  })

  test('storm: has every kind there is', () => {
    const kinds = Object.keys(FAULT_KINDS) as FaultKind[]
    expect(kinds.toSorted()).toEqual([...PROFILES.storm.kinds].toSorted())
    const planned: readonly FaultKind[] = [...ARMED_KINDS, ...PORTAL_KINDS, ...STRIKE_KINDS]
    expect(kinds.toSorted()).toEqual(planned.toSorted())
  })
})

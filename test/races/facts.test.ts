import { setTimeout as sleep } from 'node:timers/promises'

import { afterAll, beforeAll, expect, it } from 'vitest'

import { placed, startStack, type Stack } from '../support/stack.js'
import {
  codeOf,
  countOf,
  eventsOf,
  inRounds,
  jumbled,
  paid,
  pay,
  RATE,
  rulesOf,
  until,
} from './support/rounds.js'

const ROUNDS = 12
/** Ten seconds at this rate, so that placing may take its time on a busy machine. */
const EXPIRES_S = 600
/** The minute of grace behind the expiry, at this rate. */
const GRACE_MS = 1_000
const TOTAL_FEN = 1_000

let stack: Stack

beforeAll(async () => {
  stack = await startStack({ rate: RATE })
})
afterAll(() => stack.stop())

const orderOf = async (outTradeNo: string) => {
  const { orders } = await stack.sandbox.control.book({ mchId: stack.merchant.mchId })
  return orders.find((order) => order.outTradeNo === outTradeNo)
}

const query = (id: string) => () => stack.requester.send('POST', `/v1/payments/${id}/query`)

it('notification, query and expiry: the payment is what the channel says, once', async () => {
  const ends = await inRounds(ROUNDS, async (random) => {
    const order = { amountFen: TOTAL_FEN, expiresInSeconds: EXPIRES_S }
    const { id, outTradeNo, expiresAt } = await placed(stack, order)
    // Some buyers are in time, and some pay while it closes, or when it is closed: their money was
    // on its way before, and arrives all the same.
    const pays = random.pick(['before', 'meanwhile', 'after'])
    const closesMs = Date.parse(expiresAt) + GRACE_MS - Date.now()
    if (pays === 'after') {
      await until(async () => (await stack.requester.payment(id)).body.state === 'closed')
    } else await sleep(Math.max(0, closesMs - (pays === 'before' ? 3_000 : 300)))
    await jumbled<unknown>(
      random,
      900,
      () => pay(stack, outTradeNo, pays !== 'before').catch(() => undefined),
      query(id),
      query(id),
    )
    const money = (await orderOf(outTradeNo))?.tradeState
    const payment = await until(async () => {
      const { body } = await stack.requester.payment(id)
      if (!['paid', 'closed'].includes(body.state)) return false
      if (money === 'SUCCESS' && body.state !== 'paid') return false
      const isBack = body.disposition !== 'surplus' || body.refundedFen === TOTAL_FEN
      return isBack && body
    })
    const events = await eventsOf(stack, id)
    const rules = await rulesOf(stack, id)
    expect(countOf(events, 'payment.paid', 'payment.surplus')).toBe(
      payment.state === 'paid' ? 1 : 0,
    )
    expect(countOf(events, 'payment.closed')).toBeLessThanOrEqual(1)
    if (payment.state === 'closed') expect(rules).toEqual([])
    else if (payment.disposition === 'surplus') expect(rules).toEqual(['P2', 'J1', 'J2'])
    else expect(rules).toEqual(['P1'])
    return `${payment.state} ${payment.disposition}`
  })
  expect(new Set(ends).size).toBeGreaterThan(1)
}, 180_000)

it('a notification many times at once: one row, booked once', async () => {
  await inRounds(ROUNDS, async (random) => {
    const { id, outTradeNo } = await placed(stack, { amountFen: TOTAL_FEN })
    await pay(stack, outTradeNo)
    const [notification] = await stack.sandbox.control.notifications({ outTradeNo })
    const again = () => stack.sandbox.control.resend(notification?.id ?? '')
    await jumbled(random, 20, again, again, again, again)
    await until(async () => (await stack.requester.payment(id)).body.state === 'paid')
    await until(async () => {
      const [found] = await stack.sandbox.control.notifications({ outTradeNo })
      return (found?.tries.length ?? 0) >= 5
    })
    const [found] = await stack.sandbox.control.notifications({ outTradeNo })
    expect(new Set(found?.tries.map(({ outcome }) => outcome))).toEqual(new Set(['success']))
    const rows = await stack.owner.rows(
      { text: `select 1 from inbox where subject_id = $1 and kind = 'payment'` },
      [id],
    )
    expect(rows).toHaveLength(1)
    expect(await eventsOf(stack, id)).toEqual(['payment.paid'])
    expect(await rulesOf(stack, id)).toEqual(['P1'])
  })
}, 120_000)

it('a notification before the create call has returned: is not lost, and booked once', async () => {
  await inRounds(ROUNDS / 2, async (random) => {
    const outTradeNo = `EARLY-${random.below(1_000_000)}`
    const ms = 200 + random.below(1_000)
    await stack.sandbox.control.armFaults([
      { match: { call: 'unifiedorder', outTradeNo }, fault: 'timeout_after', ms, times: 1 },
    ])
    const created = stack.requester.createPayment(
      { outTradeNo, amountFen: TOTAL_FEN, expiresInSeconds: 86_400 },
      outTradeNo,
    )
    await until(() => orderOf(outTradeNo))
    await pay(stack, outTradeNo)
    expect([200, 201, 202, 'engine_unavailable']).toContain(codeOf(await created))
    const id = await until(async () => {
      const [row] = await stack.owner.rows<{ id: string; state: string }>(
        { text: 'select id, state from payments where out_trade_no = $1' },
        [outTradeNo],
      )
      return row?.state === 'paid' && row.id
    })
    expect(await eventsOf(stack, id)).toEqual(['payment.paid'])
    expect(await rulesOf(stack, id)).toEqual(['P1'])
  })
}, 120_000)

/** What becomes of a refund that the portal overtook: it waits for a person, unsent or refused. */
const LOST = ['over_reserved', 'refused', 'ERROR']

/** How our own refund came out; undefined while the channel has not said. */
async function endOf(id: string): Promise<string | undefined> {
  const [row] = await stack.owner.rows<Record<'state' | 'cause' | 'hold' | 'code', string | null>>(
    {
      text: `select state, cause, hold_reason as hold, last_code as code from refunds
             where id = $1`,
    },
    [id],
  )
  if (row?.state === 'done') return 'done'
  return [row?.hold, row?.cause, row?.code].find((why) => LOST.includes(why ?? '')) ?? undefined
}

it('a refund of the portal against our own: never more than was paid', async () => {
  const ends = await inRounds(ROUNDS, async (random) => {
    const { id, outTradeNo } = await paid(stack, TOTAL_FEN)
    const amountFen = random.pick([400, 700])
    const { body: own } = await stack.requester.requestRefund({ paymentId: id, amountFen })
    const [account] = await stack.owner.rows<{ token: string }>(
      { text: 'select notify_token as token from channel_accounts' },
      [],
    )
    const notifyUrl = `${stack.apiUrl}/notify/${account?.token ?? ''}/refund`
    const { mchId } = stack.merchant
    await jumbled<unknown>(
      random,
      120,
      () => stack.approver.decide(own.id, 'approve'),
      () =>
        stack.sandbox.control
          .refundByHand({ mchId, outTradeNo, amountFen, notifyUrl })
          .catch(() => undefined),
    )
    const ended = await until(() => endOf(own.id))
    const after = await until(async () => {
      const { body } = await stack.requester.payment(id)
      return (await orderOf(outTradeNo))?.refundedFee === body.refundedFen && body
    })
    expect(after.refundedFen).toBeLessThanOrEqual(TOTAL_FEN)
    const rules = await rulesOf(stack, id)
    expect(countOf(rules, 'P1')).toBe(1)
    expect(countOf(rules, 'J2') + countOf(rules, 'J6')).toBe(after.refundedFen / amountFen)
    return `${amountFen} ${after.refundedFen} ${ended}`
  })
  expect(new Set(ends).size).toBeGreaterThan(1)
}, 180_000)

import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import { updateWebhookEndpoint } from '../../src/db/webhook-endpoints.js'
import { createFanOut } from '../../src/webhooks/fan-out.js'
import { addMerchant, addPayment, addRefund, ask } from '../db/support/book.js'
import { openShop, type Shop } from './support/shop.js'

let shop: Shop

beforeEach(async () => {
  shop = await openShop()
})

afterEach(() => shop.close())

interface Handed {
  readonly event_id: string
  readonly endpoint_id: string
  readonly sequence: number
  readonly state: string
  readonly body: string
}

const handed = () =>
  shop.rows<Handed>(
    `select event_id, endpoint_id, sequence, state, body from webhook_deliveries
     order by created_at, payment_id, sequence`,
  )

describe('handing events out', () => {
  test('an event: goes to each endpoint that wants it, once', async () => {
    const paymentId = await addPayment(shop.book)
    const every = await shop.addEndpoint()
    const some = await shop.addEndpoint({ eventTypes: ['refund.done'] })
    const paid = await shop.tell(paymentId)
    expect(await shop.fanOut()).toBe(1)
    expect(await shop.fanOut()).toBe(0)
    expect(await handed()).toMatchObject([{ event_id: paid, endpoint_id: every.id }])
    const done = await shop.tell(paymentId, 'refund.done')
    await shop.fanOut()
    const last = (await handed()).filter(({ event_id }) => event_id === done)
    expect(new Set(last.map((row) => row.endpoint_id))).toEqual(new Set([every.id, some.id]))
  })

  test('what happened before an endpoint was there: is not told', async () => {
    const paymentId = await addPayment(shop.book)
    await shop.tell(paymentId)
    shop.clock.advance(1)
    await shop.addEndpoint({ now: shop.clock.now() })
    const later = await shop.tell(paymentId, 'refund.done')
    await shop.fanOut()
    expect((await handed()).map(({ event_id }) => event_id)).toEqual([later])
  })

  test('another merchant, or another mode: is told nothing', async () => {
    const paymentId = await addPayment(shop.book)
    const other = await addMerchant(shop.book.owner, 'other', '1900000002')
    await shop.addEndpoint({ merchantId: other.merchantId })
    await shop.addEndpoint({ livemode: true })
    await shop.tell(paymentId)
    expect(await shop.fanOut()).toBe(1)
    expect(await handed()).toEqual([])
  })

  test('an endpoint that is switched off: has it skipped, to be sent by hand', async () => {
    const paymentId = await addPayment(shop.book)
    const endpoint = await shop.addEndpoint()
    const first = await shop.tell(paymentId)
    await shop.fanOut()
    const updatedAt = shop.clock.now()
    const off = { ...endpoint, enabled: false, disabledReason: 'by_merchant', updatedAt } as const
    await updateWebhookEndpoint(shop.book.api, off)
    const second = await shop.tell(paymentId, 'refund.done')
    await shop.fanOut()
    expect((await handed()).map(({ event_id, state }) => [event_id, state])).toEqual([
      [first, 'skipped'],
      [second, 'skipped'],
    ])
  })

  test('the body about a payment: is the payment as the API shows it', async () => {
    const paymentId = await addPayment(shop.book)
    await shop.addEndpoint()
    const id = await shop.tell(paymentId, 'payment.paid', { paidFen: 1_000 })
    await shop.fanOut()
    const [row] = await handed()
    expect(JSON.parse(row?.body ?? '')).toMatchObject({
      id,
      type: 'payment.paid',
      timestamp: shop.clock.now().toISOString(),
      apiVersion: 'v1',
      livemode: false,
      paymentId,
      sequence: 1,
      data: {
        objectType: 'payment',
        object: { id: paymentId, state: 'paid', amountFen: 1_000, refundableFen: 1_000 },
        facts: { paidFen: 1_000 },
      },
    })
  })

  test('the body about a refund: is the refund with its decisions', async () => {
    const paymentId = await addPayment(shop.book)
    const refundId = await addRefund(shop.book, paymentId, 300, 'done')
    await shop.addEndpoint()
    await shop.tell(paymentId, 'refund.done', { refundId })
    await shop.fanOut()
    const bodies = (await handed()).map(({ body }) => JSON.parse(body) as { type: string })
    expect(bodies.find(({ type }) => type === 'refund.done')).toMatchObject({
      data: {
        objectType: 'refund',
        object: { id: refundId, paymentId, state: 'done', amountFen: 300, decisions: [] },
      },
    })
  })

  test('a refund that is asked for: is an event of the database, and handed out too', async () => {
    const paymentId = await addPayment(shop.book)
    await shop.addEndpoint({ eventTypes: ['refund.requested'] })
    const { id } = await ask(shop.book, paymentId, 100)
    await shop.tell(paymentId)
    await shop.fanOut()
    const [row] = await handed()
    expect(JSON.parse(row?.body ?? '')).toMatchObject({
      type: 'refund.requested',
      sequence: 1,
      data: { object: { id, state: 'pending' } },
    })
  })

  test('many events and four workers: come once each, in the order of their payment', async () => {
    const payments = [await addPayment(shop.book), await addPayment(shop.book)]
    await shop.addEndpoint()
    await shop.rows(
      `insert into outbox (id, subject, sequence, type, payload, created_at)
       select gen_random_uuid(), subject, n, 'payment.paid', '{}', $2
       from unnest($1::uuid[]) subject, generate_series(1, 250) n`,
      payments,
      shop.clock.now(),
    )
    await shop.rows('select position_events(1000)')
    const worker = createFanOut({ database: shop.book.worker, clock: shop.clock })
    const counts = await Promise.all([worker(), worker(), worker(), worker()])
    expect(counts.reduce((sum, count) => sum + count)).toBe(500)
    const rows = await handed()
    expect(new Set(rows.map(({ event_id }) => event_id)).size).toBe(500)
    const [cursor] = await shop.rows<{ position: number }>('select position from stream_cursors')
    expect(cursor).toEqual({ position: 500 })
  })

  test('where nobody listens: the cursor goes on, and what comes later is told', async () => {
    const paymentId = await addPayment(shop.book)
    for (let n = 0; n < 250; n += 1) await shop.tell(paymentId)
    expect(await shop.fanOut()).toBe(250)
    await shop.addEndpoint()
    const later = await shop.tell(paymentId)
    await shop.fanOut()
    expect((await handed()).map(({ event_id }) => event_id)).toEqual([later])
  })
})

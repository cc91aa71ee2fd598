import { setTimeout as sleep } from 'node:timers/promises'

import { Registry } from 'prom-client'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import { startWebhooks } from '../../src/webhooks/start.js'
import { addPayment } from '../db/support/book.js'
import { startReceiver, status, type Receiver } from './support/receiver.js'
import { openShop, type Shop } from './support/shop.js'

let shop: Shop
let receiver: Receiver

beforeEach(async () => {
  ;[shop, receiver] = await Promise.all([openShop(), startReceiver()])
})

afterEach(async () => {
  await shop.close()
  await receiver.close()
})

function start(registry: Registry) {
  const { book, envelope, clock } = shop
  return startWebhooks({
    database: book.worker,
    envelope,
    clock,
    registry,
    allowedHosts: ['127.0.0.1'],
    onError: (error) => void shop.errors.push(error),
  })
}

describe('startWebhooks', () => {
  test.each([
    [200, 'delivered'],
    [500, 'retry'],
    [404, 'dead'],
    [410, 'disabled'],
  ])('the answer %i: is counted as %s', async (code, result) => {
    receiver.answer = status(code)
    await shop.addEndpoint({ url: `http://127.0.0.1:${receiver.port}/` })
    await shop.tell(await addPayment(shop.book))
    const registry = new Registry()
    const webhooks = start(registry)
    while (receiver.received.length === 0) await sleep(10)
    await webhooks.stop()
    expect(await registry.metrics()).toContain(`webhook_deliveries_total{result="${result}"} 1`)
    expect(shop.errors).toEqual([])
  })

  test('stopping: waits for what is under way', async () => {
    let isAnswered = false
    receiver.answer = (_message, response) =>
      void setTimeout(() => {
        isAnswered = true
        response.end()
      }, 300)
    await shop.addEndpoint({ url: `http://127.0.0.1:${receiver.port}/` })
    await shop.tell(await addPayment(shop.book))
    const webhooks = start(new Registry())
    while (receiver.received.length === 0) await sleep(10)
    await webhooks.stop()
    expect(isAnswered).toBe(true)
    expect(await shop.rows('select state from webhook_deliveries')).toEqual([
      { state: 'delivered' },
    ])
  })
})

import { Webhook } from 'standardwebhooks'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import { newId } from '../../src/db/ids.js'
import { inTransaction } from '../../src/db/transaction.js'
import {
  addWebhookPing,
  replayWebhookDelivery,
  webhookAttemptsOf,
} from '../../src/db/webhook-deliveries.js'
import { removeWebhookEndpoint, rotateSecret } from '../../src/db/webhook-endpoints.js'
import type { Egress, Message } from '../../src/webhooks/egress.js'
import { newWebhookSecret } from '../../src/webhooks/signature.js'
import { addPayment } from '../db/support/book.js'
import { meeting } from '../db/support/meeting.js'
import { answered, eventIdsOf, openShop, type Shop } from './support/shop.js'

const DAY_MS = 86_400_000

let shop: Shop

beforeEach(async () => {
  shop = await openShop()
})

afterEach(() => shop.close())

interface Stored {
  readonly id: string
  readonly event_id: string
  readonly state: string
  readonly attempt_count: number
  readonly next_at: Date
}

const stored = () =>
  shop.rows<Stored>(
    `select id, event_id, state, attempt_count, next_at from webhook_deliveries
     order by payment_id, sequence, created_at`,
  )
const states = async () => (await stored()).map(({ state }) => state)

async function due(count = 1): Promise<string[]> {
  const paymentId = await addPayment(shop.book)
  const ids: string[] = []
  for (let n = 0; n < count; n += 1) ids.push(await shop.tell(paymentId))
  await shop.fanOut()
  return ids
}

describe('delivering', () => {
  test('an answer of the 200 family: ends it, and its attempt is kept', async () => {
    await shop.addEndpoint()
    const ids = await due()
    expect(await shop.deliver()).toBe(1)
    expect(await shop.deliver()).toBe(0)
    expect(eventIdsOf(shop.sent)).toEqual(ids)
    const [row] = await stored()
    expect(row).toMatchObject({ state: 'delivered', attempt_count: 1 })
    expect(await webhookAttemptsOf(shop.book.api, row?.id ?? '')).toMatchObject([
      { n: 1, status: 200, error: null, answer: Buffer.from('thanks') },
    ])
    expect([shop.results, shop.errors]).toEqual([['delivered'], []])
  })

  test('a server that fails: is asked again with the same id and body', async () => {
    await shop.addEndpoint()
    await due()
    shop.answer = () => answered(500)
    await shop.deliver()
    const [row] = await stored()
    expect(row).toMatchObject({ state: 'pending', attempt_count: 1 })
    const waitMs = (row?.next_at.getTime() ?? 0) - shop.clock.now().getTime()
    expect(waitMs).toBeGreaterThanOrEqual(4_750)
    expect(waitMs).toBeLessThanOrEqual(5_250)
    expect(await shop.deliver()).toBe(0)
    shop.clock.advance(6_000)
    shop.answer = () => answered(200)
    await shop.deliver()
    const [first, second] = shop.sent
    expect(second?.body).toBe(first?.body)
    expect(second?.headers['webhook-id']).toBe(first?.headers['webhook-id'])
    expect(second?.headers['webhook-timestamp']).not.toBe(first?.headers['webhook-timestamp'])
    expect(shop.results).toEqual(['retry', 'delivered'])
  })

  test('Retry-After: is kept', async () => {
    await shop.addEndpoint()
    await due()
    shop.answer = () => answered(429, '600')
    await shop.deliver()
    shop.clock.advance(599_000)
    expect(await shop.deliver()).toBe(0)
    shop.clock.advance(2_000)
    expect(await shop.deliver()).toBe(1)
  })

  test('three days of failures: end it', async () => {
    await shop.addEndpoint()
    await due()
    shop.answer = () => ({ kind: 'failed', error: 'connect' })
    const begun = shop.clock.now().getTime()
    for (let tries = 0; tries < 20; tries += 1) {
      const [row] = await stored()
      if (row?.state !== 'pending') break
      shop.clock.at = row.next_at
      await shop.deliver()
    }
    expect(await states()).toEqual(['dead'])
    expect(shop.clock.now().getTime() - begun).toBeLessThanOrEqual(3 * DAY_MS)
    expect(shop.clock.now().getTime() - begun).toBeGreaterThan(2 * DAY_MS)
    expect(shop.results.at(-1)).toBe('dead')
  })

  test('the events of one payment: go one after another, whatever happens', async () => {
    await shop.addEndpoint()
    const ids = await due(3)
    shop.answer = () => answered(503)
    expect(await shop.deliver()).toBe(1)
    shop.clock.advance(60_000)
    const late = await shop.tell(await paymentOf(ids[0] ?? ''))
    await shop.fanOut()
    shop.answer = () => answered(200)
    for (let n = 0; n < 4; n += 1) expect(await shop.deliver()).toBe(1)
    expect(eventIdsOf(shop.sent)).toEqual([ids[0], ...ids, late])
  })

  const paymentOf = async (eventId: string): Promise<string> => {
    const text = 'select subject from outbox where id = $1'
    return (await shop.rows<{ subject: string }>(text, eventId))[0]?.subject ?? ''
  }

  test('another payment, and another endpoint: do not wait for it', async () => {
    await shop.addEndpoint({ url: 'https://good.example.com/' })
    await shop.addEndpoint({ url: 'https://bad.example.com/' })
    await due(2)
    await due(2)
    shop.answer = ({ url }) => answered(url.includes('bad') ? 500 : 200)
    expect(await shop.deliver()).toBe(4)
    expect(await shop.deliver()).toBe(2)
    expect((await states()).filter((state) => state === 'delivered')).toHaveLength(4)
  })

  test.each([400, 401, 404, 301])('the answer %i: ends it, and the line moves on', async (code) => {
    await shop.addEndpoint()
    const ids = await due(2)
    shop.answer = ({ headers }) => answered(headers['webhook-id'] === ids[0] ? code : 200)
    expect([await shop.deliver(), await shop.deliver()]).toEqual([1, 1])
    expect(await states()).toEqual(['dead', 'delivered'])
  })

  test('the answer 410: switches the endpoint off and skips what is due to it', async () => {
    const { id } = await shop.addEndpoint()
    await due(2)
    shop.answer = () => answered(410)
    await shop.deliver()
    expect(await states()).toEqual(['dead', 'skipped'])
    const text = 'select enabled, disabled_reason from webhook_endpoints where id = $1'
    expect(await shop.rows(text, id)).toEqual([{ enabled: false, disabled_reason: 'gone' }])
    expect(await shop.deliver()).toBe(0)
    expect(shop.results).toEqual(['disabled'])
  })

  test('a server that is slow: holds eight connections and no more', async () => {
    await shop.addEndpoint()
    for (let n = 0; n < 10; n += 1) await due()
    const { met, arrive } = meeting()
    const slow = shop.worker(async () => {
      await met
      return answered(200)
    })
    expect([await slow.tick(), await slow.tick(), await shop.deliver()]).toEqual([8, 0, 0])
    arrive()
    await slow.idle()
    expect(await shop.deliver()).toBe(2)
  })
})

describe('an endpoint that is deleted', () => {
  test('what was claimed for it: is not sent without its secrets', async () => {
    const { id } = await shop.addEndpoint()
    await due()
    await shop.rows('delete from webhook_secrets')
    await shop.deliver()
    expect(shop.sent).toEqual([])
    await inTransaction(shop.book.api, (tx) => removeWebhookEndpoint(tx, id, shop.clock.now()))
    expect(await states()).toEqual(['skipped'])
    shop.clock.advance(DAY_MS)
    expect(await shop.deliver()).toBe(0)
  })

  test('what is answered meanwhile: stands', async () => {
    const { id } = await shop.addEndpoint()
    await due(2)
    shop.answer = async () => {
      await inTransaction(shop.book.api, (tx) => removeWebhookEndpoint(tx, id, shop.clock.now()))
      return answered(200)
    }
    await shop.deliver()
    expect(await states()).toEqual(['delivered', 'skipped'])
  })
})

describe('a worker that dies', () => {
  test('what it had: is sent by another when its lease is over, under the same id', async () => {
    await shop.addEndpoint()
    const ids = await due()
    const { met, arrive } = meeting()
    const dying = shop.worker(async () => {
      await met
      return answered(500)
    })
    await dying.tick()
    expect(await shop.deliver()).toBe(0)
    shop.clock.advance(61_000)
    expect(await shop.deliver()).toBe(1)
    expect(eventIdsOf(shop.sent)).toEqual(ids)
    arrive()
    await dying.idle()
    expect(await stored()).toMatchObject([{ state: 'delivered', attempt_count: 2 }])
  })

  test('four workers at once: send each event once', async () => {
    await shop.addEndpoint()
    for (let n = 0; n < 6; n += 1) await due()
    const seen: Message[] = []
    const egress: Egress = async (message) => {
      seen.push(message)
      return answered(200)
    }
    const workers = [1, 2, 3, 4].map(() => shop.worker(egress))
    await Promise.all(workers.map((worker) => worker.tick()))
    await Promise.all(workers.map((worker) => worker.idle()))
    expect([seen.length, new Set(eventIdsOf(seen)).size]).toEqual([6, 6])
    expect(shop.errors).toEqual([])
  })
})

describe('sending again by hand', () => {
  const replay = async () => {
    const [row] = await stored()
    return replayWebhookDelivery(shop.book.api, row?.id ?? '', shop.clock.now())
  }

  test('one that is dead: has three days of its own, and its id', async () => {
    await shop.addEndpoint()
    const ids = await due()
    shop.answer = () => answered(400)
    await shop.deliver()
    shop.clock.advance(10 * DAY_MS)
    expect(await replay()).toBe(true)
    shop.answer = () => answered(500)
    await shop.deliver()
    expect(await stored()).toMatchObject([{ state: 'pending', attempt_count: 2 }])
    shop.clock.advance(6_000)
    shop.answer = () => answered(200)
    await shop.deliver()
    expect(eventIdsOf(shop.sent)).toEqual([ids[0], ids[0], ids[0]])
    const [row] = await stored()
    const attempts = await webhookAttemptsOf(shop.book.api, row?.id ?? '')
    expect(attempts.map(({ n, status }) => [n, status])).toEqual([
      [1, 400],
      [2, 500],
      [3, 200],
    ])
  })

  test('one that waits: goes now; one that is being sent: is left alone', async () => {
    await shop.addEndpoint()
    await due()
    shop.answer = () => answered(500)
    await shop.deliver()
    await replay()
    const { met, arrive } = meeting()
    const slow = shop.worker(async () => {
      await met
      return answered(200)
    })
    expect(await slow.tick()).toBe(1)
    await replay()
    expect(await shop.deliver()).toBe(0)
    arrive()
    await slow.idle()
    expect(await states()).toEqual(['delivered'])
  })

  test('one whose endpoint is switched off: is not', async () => {
    await shop.addEndpoint()
    await due()
    shop.answer = () => answered(410)
    await shop.deliver()
    expect(await replay()).toBe(false)
  })
})

describe('signatures', () => {
  const verify = (secret: string, message: Message | undefined) =>
    new Webhook(secret).verify(message?.body ?? '', { ...message?.headers })

  test('a receiver with the package of Standard Webhooks: verifies what it got', async () => {
    shop.clock.at = new Date()
    const { secret } = await shop.addEndpoint()
    const ids = await due()
    await shop.deliver()
    expect(verify(secret, shop.sent[0])).toMatchObject({ id: ids[0], type: 'payment.paid' })
    expect(() => verify(newWebhookSecret(), shop.sent[0])).toThrow('No matching signature')
    const forged = { ...shop.sent[0], body: '{}' } as Message
    expect(() => verify(secret, forged)).toThrow('No matching signature')
  })

  test('while a secret is replaced: the old one and the new one verify', async () => {
    shop.clock.at = new Date()
    const { id: endpointId, secret: first } = await shop.addEndpoint()
    const rotate = async (): Promise<string> => {
      const [secret, now] = [newWebhookSecret(), shop.clock.now()]
      const oldUntil = new Date(now.getTime() + 60_000)
      await inTransaction(shop.book.api, (tx) =>
        rotateSecret(tx, shop.envelope, { endpointId, secret, oldUntil, now }),
      )
      return secret
    }
    const ping = async (): Promise<Message | undefined> => {
      const [id, eventId, now] = [
        newId(shop.clock.now()),
        newId(shop.clock.now()),
        shop.clock.now(),
      ]
      await addWebhookPing(shop.book.api, { id, eventId, endpointId, body: '{}', now })
      await shop.deliver()
      return shop.sent.at(-1)
    }
    const second = await rotate()
    const both = await ping()
    expect([verify(first, both), verify(second, both)]).toEqual([{}, {}])
    const third = await rotate()
    const lastTwo = await ping()
    expect([verify(second, lastTwo), verify(third, lastTwo)]).toEqual([{}, {}])
    expect(() => verify(first, lastTwo)).toThrow('No matching signature')
    shop.clock.advance(61_000)
    const newest = await ping()
    expect(verify(third, newest)).toEqual({})
    expect(() => verify(second, newest)).toThrow('No matching signature')
  })
})

import type { LightMyRequestResponse } from 'fastify'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { addKey, addMerchant } from '../../src/cli/merchants.js'
import { activeWebhookSecrets } from '../../src/db/webhook-endpoints.js'
import { createDelivery } from '../../src/webhooks/delivery.js'
import { answered } from '../webhooks/support/shop.js'
import { MERCHANT, startServer, type ServerUnderTest } from './server-under-test.js'

type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE'
type Json = Readonly<Record<string, unknown>>

const URL = 'https://shop.example.com/hook'
const NOBODY = '01900000-0000-7000-8000-000000000000'

let server: ServerUnderTest
let keys: { writer: string; reader: string; other: string }

beforeAll(async () => {
  server = await startServer()
  const other = { ...MERCHANT, id: 'other', account: { ...MERCHANT.account, mchId: '1900000110' } }
  await addMerchant(server.owner, server.envelope, other)
  const add = async (merchantId: string, ...scopes: string[]): Promise<string> =>
    (await addKey(server.owner, { merchantId, name: 'hooks', scopes })).key
  keys = {
    writer: await add(MERCHANT.id, 'webhooks:read', 'webhooks:write'),
    reader: await add(MERCHANT.id, 'webhooks:read'),
    other: await add('other', 'webhooks:read', 'webhooks:write'),
  }
})
afterAll(() => server.stop())

function call(
  line: `${Method} ${string}`,
  body?: object,
  key = keys.writer,
): Promise<LightMyRequestResponse> {
  const [method, path] = line.split(' ') as [Method, string]
  const headers = { authorization: `Bearer ${key}` }
  const url = `/v1/${path}`
  return server.app.inject(
    body === undefined ? { method, url, headers } : { method, url, headers, payload: body },
  )
}

async function added(body: object = {}): Promise<{ id: string; secret: string }> {
  const answer = await call('POST webhook-endpoints', { url: URL, livemode: false, ...body })
  expect(answer.statusCode).toBe(201)
  return answer.json()
}

const told = (answer: LightMyRequestResponse): unknown[] => {
  const { code, errors } = answer.json<{ code?: string; errors?: { field: string }[] }>()
  return [answer.statusCode, code, ...(errors ?? []).map(({ field }) => field)]
}

describe('webhook endpoints', () => {
  test('a new one: is answered with its secret, which is shown once', async () => {
    const answer = await call('POST webhook-endpoints', {
      url: URL,
      livemode: false,
      eventTypes: ['payment.paid', 'refund.done'],
    })
    expect(answer.statusCode).toBe(201)
    const { secret, ...endpoint } = answer.json<{ id: string; secret: string }>()
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/)
    expect(endpoint).toMatchObject({
      url: URL,
      enabled: true,
      disabledReason: null,
      eventTypes: ['payment.paid', 'refund.done'],
      livemode: false,
      apiVersion: 'v1',
    })
    const again = await call(`GET webhook-endpoints/${endpoint.id}`, undefined, keys.reader)
    expect(again.json()).toEqual(endpoint)
    expect(server.logLines.join('')).not.toContain(secret)
    const now = new Date()
    const { worker, envelope } = server
    expect(await activeWebhookSecrets(worker, envelope, endpoint.id, now)).toEqual([secret])
  })

  test.each<[string, object, unknown[]]>([
    ['no address', { livemode: false }, [400, 'invalid_request', 'url']],
    ['no mode', { url: URL }, [400, 'invalid_request', 'livemode']],
    ['http', { url: 'http://a.example.com/', livemode: true }, [400, 'invalid_request', 'url']],
    [
      'a private address',
      { url: 'https://10.0.0.1/', livemode: true },
      [400, 'invalid_request', 'url'],
    ],
    [
      'a port of its own',
      { url: URL.replace('/hook', ':99/'), livemode: true },
      [400, 'invalid_request', 'url'],
    ],
    [
      'a type that is none',
      { url: URL, livemode: true, eventTypes: ['x'] },
      [400, 'invalid_request', 'eventTypes.0'],
    ],
    [
      'no types at all',
      { url: URL, livemode: true, eventTypes: [] },
      [400, 'invalid_request', 'eventTypes'],
    ],
    [
      'a field too many',
      { url: URL, livemode: true, secret: 'x' },
      [400, 'invalid_request', 'secret'],
    ],
  ])('one with %s: is refused', async (_what, body, expected) => {
    expect(told(await call('POST webhook-endpoints', body))).toEqual(expected)
  })

  test('without the scope: nothing is shown and nothing is done', async () => {
    const { id } = await added()
    const { asker } = server.keys
    expect(told(await call('GET webhook-endpoints', undefined, asker))).toEqual([403, 'forbidden'])
    const writes: [`${Method} ${string}`, object?][] = [
      ['POST webhook-endpoints', { url: URL, livemode: false }],
      [`PATCH webhook-endpoints/${id}`, { enabled: false }],
      [`DELETE webhook-endpoints/${id}`],
      [`POST webhook-endpoints/${id}/rotate-secret`],
      [`POST webhook-endpoints/${id}/test`],
    ]
    for (const [line, body] of writes) {
      expect(told(await call(line, body, keys.reader)), line).toEqual([403, 'forbidden'])
    }
  })

  test('of another merchant: is not there', async () => {
    const { id } = await added()
    const lines: [`${Method} ${string}`, object?][] = [
      [`GET webhook-endpoints/${id}`],
      [`PATCH webhook-endpoints/${id}`, { enabled: false }],
      [`DELETE webhook-endpoints/${id}`],
      [`POST webhook-endpoints/${id}/rotate-secret`],
      [`POST webhook-endpoints/${id}/test`],
      [`GET webhook-endpoints/${NOBODY}`],
    ]
    for (const [line, body] of lines) {
      expect(told(await call(line, body, keys.other)), line).toEqual([404, 'not_found'])
    }
    const list = await call('GET webhook-endpoints', undefined, keys.other)
    expect(list.json()).toEqual({ items: [], nextCursor: null })
  })

  test('a list: comes a page at a time, newest first', async () => {
    const first = await added()
    const second = await added()
    const page = (await call('GET webhook-endpoints?limit=1')).json<{
      items: Json[]
      nextCursor: string
    }>()
    expect(page.items).toMatchObject([{ id: second.id }])
    const next = await call(`GET webhook-endpoints?limit=1&cursor=${page.nextCursor}`)
    expect(next.json()).toMatchObject({ items: [{ id: first.id }] })
    expect(next.body).not.toContain('whsec_')
  })

  test('a change: writes what is named and leaves the rest', async () => {
    const { id } = await added({ eventTypes: ['payment.paid'] })
    const change = (body: object) => call(`PATCH webhook-endpoints/${id}`, body)
    expect((await change({ enabled: false })).json()).toMatchObject({
      enabled: false,
      disabledReason: 'by_merchant',
      eventTypes: ['payment.paid'],
    })
    expect((await change({ enabled: true, eventTypes: null })).json()).toMatchObject({
      enabled: true,
      disabledReason: null,
      eventTypes: null,
    })
    expect(told(await change({ url: 'https://localhost/' }))).toEqual([
      400,
      'invalid_request',
      'url',
    ])
    expect((await change({})).statusCode).toBe(400)
    expect(told(await change({ livemode: true }))).toEqual([400, 'invalid_request', 'livemode'])
  })

  test('a deleted one: is gone, with its secrets', async () => {
    const { id } = await added()
    expect((await call(`DELETE webhook-endpoints/${id}`)).statusCode).toBe(204)
    expect(told(await call(`GET webhook-endpoints/${id}`))).toEqual([404, 'not_found'])
    expect(told(await call(`DELETE webhook-endpoints/${id}`))).toEqual([404, 'not_found'])
    expect(await activeWebhookSecrets(server.worker, server.envelope, id, new Date())).toEqual([])
  })

  test('a new secret: signs beside the old one for as long as asked', async () => {
    const { id, secret } = await added()
    const active = (aheadMs = 0) => {
      const at = new Date(Date.now() + aheadMs)
      return activeWebhookSecrets(server.worker, server.envelope, id, at)
    }
    const rotate = async (query: string) =>
      (await call(`POST webhook-endpoints/${id}/rotate-secret${query}`)).json<{ secret: string }>()
    const second = await rotate('?overlapSeconds=3600')
    expect(await active()).toEqual([second.secret, secret])
    expect(await active(3_601_000)).toEqual([second.secret])
    const third = await rotate('?overlapSeconds=0')
    expect(await active(1)).toEqual([third.secret])
    const tooLong = await call(`POST webhook-endpoints/${id}/rotate-secret?overlapSeconds=9999999`)
    expect(told(tooLong)).toEqual([400, 'invalid_request', 'overlapSeconds'])
  })

  test('who did what: is in the audit log, without secrets', async () => {
    const { id } = await added()
    await call(`PATCH webhook-endpoints/${id}`, { enabled: false })
    const { secret } = (await call(`POST webhook-endpoints/${id}/rotate-secret`)).json<Json>()
    await call(`DELETE webhook-endpoints/${id}`)
    const lines = await server.owner.rows<{ action: string; detail: Json }>(
      { text: `select action, detail from audit where detail->>'endpointId' = $1 order by at` },
      [id],
    )
    expect(lines.map(({ action }) => action)).toEqual([
      'webhook_endpoint.create',
      'webhook_endpoint.change',
      'webhook_endpoint.rotate_secret',
      'webhook_endpoint.delete',
    ])
    expect(lines[1]?.detail).toEqual({ endpointId: id, enabled: false })
    expect(JSON.stringify(lines)).not.toContain(secret)
  })

  test('more than sixteen: are too many', async () => {
    const create = () => call('POST webhook-endpoints', { url: URL, livemode: true }, keys.other)
    for (let n = 0; n < 16; n += 1) expect((await create()).statusCode).toBe(201)
    const refused = await create()
    expect(told(refused)).toEqual([409, 'too_many_webhook_endpoints'])
    expect(refused.json()).toMatchObject({ limit: 16, retry: 'never' })
  })
})

describe('webhook deliveries', () => {
  const deliver = async (status: number): Promise<void> => {
    const { worker: database, envelope, clock } = server
    const errors: unknown[] = []
    const egress = async () => answered(status)
    const worker = createDelivery({
      database,
      envelope,
      clock,
      egress,
      onResult: () => undefined,
      onError: (error) => void errors.push(error),
    })
    await worker.tick()
    await worker.idle()
    expect(errors).toEqual([])
  }
  const ping = async (endpointId: string): Promise<{ id: string; eventId: string }> => {
    const answer = await call(`POST webhook-endpoints/${endpointId}/test`)
    expect(answer.statusCode).toBe(202)
    return answer.json()
  }

  test('a test: is a delivery like any other', async () => {
    const { id: endpointId } = await added()
    const { id, eventId } = await ping(endpointId)
    await deliver(200)
    const answer = await call(`GET webhook-deliveries/${id}`, undefined, keys.reader)
    const { body, ...delivery } = answer.json<{ body: string }>()
    expect(delivery).toMatchObject({
      endpointId,
      eventId,
      type: 'ping',
      paymentId: null,
      sequence: null,
      state: 'delivered',
      attemptCount: 1,
      nextAt: null,
      attempts: [{ n: 1, status: 200, error: null, answer: 'thanks' }],
    })
    expect(JSON.parse(body)).toMatchObject({ id: eventId, type: 'ping', livemode: false, data: {} })
  })

  test('a list: is filtered by endpoint and state', async () => {
    const { id: endpointId } = await added()
    const dead = await ping(endpointId)
    await deliver(400)
    const pending = await ping(endpointId)
    const list = async (filter: string) =>
      (await call(`GET webhook-deliveries?endpointId=${endpointId}${filter}`)).json<{
        items: { id: string }[]
      }>()
    const ids = async (filter: string) => (await list(filter)).items.map(({ id }) => id)
    expect(await ids('')).toEqual([pending.id, dead.id])
    expect(await ids('&state=dead')).toEqual([dead.id])
    expect(await ids('&state=pending')).toEqual([pending.id])
    expect(await ids(`&paymentId=${NOBODY}`)).toEqual([])
    expect(told(await call('GET webhook-deliveries?state=lost'))).toEqual([
      400,
      'invalid_request',
      'state',
    ])
    await deliver(200)
  })

  test('a replay: makes a dead one due again', async () => {
    const { id: endpointId } = await added()
    const { id } = await ping(endpointId)
    await deliver(400)
    const answer = await call(`POST webhook-deliveries/${id}/replay`)
    expect([answer.statusCode, answer.json<Json>()['state']]).toEqual([202, 'pending'])
    await deliver(200)
    const shown = (await call(`GET webhook-deliveries/${id}`)).json<Json>()
    expect(shown).toMatchObject({ state: 'delivered', attemptCount: 2 })
    expect(
      told(await call(`POST webhook-deliveries/${id}/replay`, undefined, keys.reader)),
    ).toEqual([403, 'forbidden'])
  })

  test('an endpoint that is switched off: takes neither a test nor a replay', async () => {
    const { id: endpointId } = await added()
    const { id } = await ping(endpointId)
    await call(`PATCH webhook-endpoints/${endpointId}`, { enabled: false })
    const shown = (await call(`GET webhook-deliveries/${id}`)).json<Json>()
    expect(shown).toMatchObject({ state: 'skipped', attempts: [] })
    const refused = [409, 'webhook_endpoint_disabled']
    expect(told(await call(`POST webhook-endpoints/${endpointId}/test`))).toEqual(refused)
    expect(told(await call(`POST webhook-deliveries/${id}/replay`))).toEqual(refused)
  })

  test('of another merchant: is not there', async () => {
    const { id } = await ping((await added()).id)
    for (const line of [
      `GET webhook-deliveries/${id}`,
      `POST webhook-deliveries/${id}/replay`,
    ] as const) {
      expect(told(await call(line, undefined, keys.other)), line).toEqual([404, 'not_found'])
    }
    const list = await call('GET webhook-deliveries', undefined, keys.other)
    expect(list.json()).toEqual({ items: [], nextCursor: null })
  })
})

import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { EventStreams } from '../../src/api/event-streams.js'
import { positionEvents } from '../../src/db/outbox-stream.js'
import {
  onceKey,
  paidPayment,
  send,
  startServer,
  type ServerUnderTest,
} from './server-under-test.js'

let server: ServerUnderTest
let url = ''

beforeAll(async () => {
  server = await startServer()
  url = await server.app.listen({ host: '127.0.0.1', port: 0 })
})
afterAll(() => server.stop())

/** Has something happen, as far as readers see it, and says of which refund. */
async function happens(): Promise<string> {
  const { id: paymentId } = await paidPayment(server)
  const asked = await send(server, 'POST /v1/refunds', {
    idempotencyKey: onceKey(),
    body: { paymentId, amountFen: 1, reason: 'x', actingUser: 'a' },
  })
  await positionEvents(server.worker, 100)
  return asked.json<{ id: string }>().id
}

interface Message {
  readonly id: number
  readonly event: string
  readonly refundId: string
}

/** Follows the stream on a connection of its own; `text` is all that came. */
async function follow(after?: string) {
  const request = get(`${url}/v1/events`, {
    agent: false,
    headers: {
      authorization: `Bearer ${server.keys.reader}`,
      accept: 'text/event-stream',
      ...(after === undefined ? {} : { 'last-event-id': after }),
    },
  })
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  let text = ''
  response.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
  })
  const ended = once(response, 'end')
  ended.catch(() => undefined)
  const messages = (): Message[] =>
    [...text.matchAll(/^id: (\d+)\nevent: (\S+)\ndata: (.*)\n\n/gm)].map(([, id, event, data]) => ({
      id: Number(id),
      event: event ?? '',
      refundId: (JSON.parse(data ?? '{}') as { data: { refundId: string } }).data.refundId,
    }))
  return { response, messages, ended, text: () => text, close: () => response.destroy() }
}

/** Follows as soon as the server has seen that earlier streams were closed. */
async function followSoon(after: string) {
  for (let n = 0; n < 1_000; n += 1) {
    const stream = await follow(after)
    if (stream.response.statusCode === 200) return stream
    stream.close()
    await sleep(25)
  }
  throw new Error('There is no place for another stream.')
}

async function until(isSo: () => boolean): Promise<void> {
  for (let n = 0; n < 1_000; n += 1) {
    if (isSo()) return
    await sleep(25)
  }
  throw new Error('It did not happen in time.')
}

describe('events a page at a time', () => {
  const page = (query = '') => send(server, `GET /v1/events${query}`, { key: server.keys.reader })

  test('come in order, once each, and the cursor goes on where the page ended', async () => {
    const refunds = [await happens(), await happens(), await happens()]
    const seen: string[] = []
    let cursor = '0'
    for (let hasMore = true; hasMore;) {
      const answer = (await page(`?limit=1&cursor=${cursor}`)).json()
      seen.push(...answer.items.map((each: { data: { refundId: string } }) => each.data.refundId))
      cursor = answer.nextCursor
      hasMore = answer.hasMore
    }
    expect(seen.filter((id) => refunds.includes(id))).toEqual(refunds)
    expect((await page(`?cursor=${cursor}`)).json()).toEqual({
      items: [],
      nextCursor: cursor,
      hasMore: false,
    })
    const later = await happens()
    expect((await page(`?cursor=${cursor}`)).json().items).toMatchObject([
      { type: 'refund.requested', data: { refundId: later } },
    ])
  })

  test.each(['?cursor=x', '?limit=101', '?after=1', '?cursor=-1'])(
    '%s: is refused',
    async (query) => {
      const answer = await page(query)
      expect([answer.statusCode, answer.json().code]).toEqual([400, 'invalid_request'])
    },
  )

  test('without the scope: are forbidden', async () => {
    const answer = await send(server, 'GET /v1/events', { key: server.keys.approver })
    expect(answer.statusCode).toBe(403)
  })
})

describe('the stream of events', () => {
  test('sends what was and what comes, and goes on after the last one that was read', async () => {
    const before = await happens()
    const stream = await follow()
    expect(stream.response.headers['content-type']).toContain('text/event-stream')
    await until(() => stream.messages().some(({ refundId }) => refundId === before))
    const during = await happens()
    await until(() => stream.messages().at(-1)?.refundId === during)
    const ids = stream.messages().map(({ id }) => id)
    expect(ids).toEqual(ids.toSorted((a, b) => a - b))
    stream.close()

    const missed = await happens()
    const again = await follow(String(ids.at(-1)))
    await until(() => again.messages().length > 0)
    expect(again.messages().map(({ refundId }) => refundId)).toEqual([missed])
    again.close()
  })

  test('an id that is none: is refused before a stream begins', async () => {
    const { response, ended, text, close } = await follow('latest')
    await ended
    expect([response.statusCode, (JSON.parse(text()) as { code: string }).code]).toEqual([
      400,
      'invalid_request',
    ])
    close()
  })

  test('more than twenty of a merchant: are too many, until one is closed', async () => {
    const streams = []
    for (let n = 0; n < 20; n += 1) streams.push(await follow('999999'))
    const refused = await follow('999999')
    expect(refused.response.statusCode).toBe(409)
    streams[0]?.close()
    const taken = await followSoon('999999')
    for (const { close } of [...streams, taken, refused]) close()
  })

  test('a server that closes: ends its streams, each as a whole', async () => {
    const stream = await followSoon('999999')
    await until(() => stream.text().includes('retry:'))
    await server.app.close()
    // A stream that was cut off has no end.
    await stream.ended
  })
})

describe('waiting for the end of the outbox to move', () => {
  test('many streams: share one question, and stop asking when nobody waits', async () => {
    const questions: ((head: number) => void)[] = []
    const streams = new EventStreams(() => new Promise((answer) => questions.push(answer)))
    const waitsAt = (position: number) =>
      streams.wait(position, 60_000, new AbortController().signal)
    const first = waitsAt(0)
    questions[0]?.(1)
    await first
    const all = Promise.all(Array.from({ length: 50 }, () => waitsAt(1)))
    await until(() => questions.length === 2)
    questions[1]?.(2)
    await all
    await sleep(600)
    expect(questions).toHaveLength(2)
  })

  test('a question that fails: is asked again, and the wait has its own end', async () => {
    const streams = new EventStreams(() => Promise.reject(new Error('away')))
    const startedAt = performance.now()
    await streams.wait(0, 400, new AbortController().signal)
    expect(performance.now() - startedAt).toBeGreaterThan(350)
  })
})

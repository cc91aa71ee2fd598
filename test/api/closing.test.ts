import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import { onceKey, ORDER, send, startServer, type ServerUnderTest } from './server-under-test.js'

/** Less than the time after which a server that closes cuts off what is still open. */
const CLOSING_MS_MAX = 9_000

let server: ServerUnderTest
let port = 0
const sockets: Socket[] = []

beforeEach(async () => {
  server = await startServer()
  const url = await server.app.listen({ host: '127.0.0.1', port: 0 })
  port = Number(new URL(url).port)
})
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await server.stop()
})

interface Caller {
  readonly socket: Socket
  readonly text: () => string
  readonly ended: Promise<unknown>
}

/** A connection that its client keeps, and what came on it. */
async function open(): Promise<Caller> {
  const socket = connect({ host: '127.0.0.1', port })
  sockets.push(socket)
  let text = ''
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
  })
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  return { socket, text: () => text, ended: once(socket, 'close') }
}

const get = ({ socket }: Caller, path: string, more = '') => {
  const key = `authorization: Bearer ${server.keys.asker}\r\n`
  socket.write(`GET ${path} HTTP/1.1\r\nhost: api\r\n${key}${more}\r\n`)
}

async function until(isSo: () => boolean): Promise<void> {
  for (let n = 0; n < 1_000 && !isSo(); n += 1) await sleep(25)
  expect(isSo()).toBe(true)
}

async function closesWithin(): Promise<number> {
  const startedAt = performance.now()
  await server.app.close()
  return performance.now() - startedAt
}

describe('closing the server', () => {
  test('connections that are kept, or have said nothing yet: are not waited for', async () => {
    const kept = await open()
    get(kept, '/healthz')
    await until(() => kept.text().includes('{"status":"ok"}'))
    await open()
    const half = await open()
    half.socket.write('GET /healthz HT')
    await sleep(50)
    expect(await closesWithin()).toBeLessThan(CLOSING_MS_MAX)
  })

  test('an answer under way: is given whole, and its connection is not kept', async () => {
    const sent = { idempotencyKey: onceKey(), body: ORDER }
    const { id } = (await send(server, 'POST /v1/payments', sent)).json<{ id: string }>()
    const caller = await open()
    const arrived = once(server.app.server, 'request')
    get(caller, `/v1/payments/${id}?wait=30`)
    await arrived
    // So that it waits by then; it is answered whole from wherever it has got to.
    await sleep(200)
    expect(await closesWithin()).toBeLessThan(CLOSING_MS_MAX)
    await caller.ended
    expect(caller.text()).toMatch(/^HTTP\/1\.1 200 /)
    expect(caller.text()).toContain(`"id":"${id}"`)
  })

  test('event streams and kept connections together: end at once, each as a whole', async () => {
    const streams = await Promise.all([open(), open(), open()])
    for (const stream of streams) get(stream, '/v1/events', 'accept: text/event-stream\r\n')
    const kept = await open()
    get(kept, '/healthz')
    await until(() => streams.every(({ text }) => text().includes('retry:')))
    await until(() => kept.text().includes('ok'))
    expect(await closesWithin()).toBeLessThan(CLOSING_MS_MAX)
    for (const { text, ended } of streams) {
      await ended
      expect(text()).toMatch(/\r\n0\r\n\r\n$/)
    }
  })
})

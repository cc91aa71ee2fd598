import { setTimeout as sleep } from 'node:timers/promises'

import { afterEach, beforeAll, describe, expect, test } from 'vitest'

import { issueServerCertificate, makeAuthority } from '../../src/sandbox/authority.js'
import { createEgress, type EgressOptions } from '../../src/webhooks/egress.js'
import { startReceiver, status, type Receiver, type ReceiverOptions } from './support/receiver.js'

const NAME = 'shop.example.com'
const LOCAL = ['127.0.0.1']

let ca: string
let tls: { cert: string; key: string }
const open: Receiver[] = []

beforeAll(async () => {
  const authority = await makeAuthority()
  const { certPem: cert, keyPem: key } = await issueServerCertificate(authority, [NAME])
  ca = authority.certPem
  tls = { cert, key }
})

afterEach(async () => {
  await Promise.all(open.splice(0).map((receiver) => receiver.close()))
})

async function receive(options: ReceiverOptions = {}): Promise<Receiver> {
  const receiver = await startReceiver(options)
  open.push(receiver)
  return receiver
}

const post = (url: string, options: EgressOptions = {}) =>
  createEgress(options)({ url, headers: { 'webhook-id': 'e1' }, body: '{"a":"茶"}' })

const postLocal = ({ port }: Receiver, options: EgressOptions = {}) =>
  post(`http://127.0.0.1:${port}/hook?a=1`, { allowedHosts: LOCAL, ...options })

describe('egress to a host that the operator vouches for', () => {
  test('a message: arrives byte for byte, with its headers', async () => {
    const receiver = await receive()
    expect(await postLocal(receiver)).toMatchObject({ kind: 'answered', status: 204 })
    expect(receiver.received).toMatchObject([
      { path: '/hook?a=1', body: '{"a":"茶"}', headers: { 'webhook-id': 'e1' } },
    ])
  })

  test('an answer: is told with its beginning and how long to wait', async () => {
    const receiver = await receive()
    receiver.answer = (_message, response) =>
      void response.writeHead(503, { 'retry-after': '7' }).end('x'.repeat(5_000))
    expect(await postLocal(receiver)).toEqual({
      kind: 'answered',
      status: 503,
      retryAfter: '7',
      answer: Buffer.alloc(1_024, 'x'),
    })
  })

  test('a redirect to a private address: is not followed', async () => {
    const [first, second] = [await receive(), await receive()]
    first.answer = status(307, { location: `http://127.0.0.1:${second.port}/` })
    expect(await postLocal(first)).toMatchObject({ status: 307 })
    expect(second.received).toEqual([])
  })

  test('an endless body: is cut off after 64 KiB', async () => {
    const receiver = await receive()
    let sent = 0
    let isClosed = false
    receiver.answer = (_message, response) => {
      response.writeHead(200)
      response.on('close', () => {
        isClosed = true
      })
      const pour = (): void => {
        if (isClosed) return
        sent += 16_384
        response.write(Buffer.alloc(16_384), pour)
      }
      pour()
    }
    expect(await postLocal(receiver)).toMatchObject({ kind: 'answered', status: 200 })
    while (!isClosed) await sleep(5)
    expect(sent).toBeLessThan(64 * 1024 * 1024)
  })

  test('a body that never ends to come: is waited for until the time is over', async () => {
    const receiver = await receive()
    receiver.answer = (_message, response) => void response.writeHead(200).write('x')
    // Long enough for the status to come on a busy machine; the body would never end.
    const result = await postLocal(receiver, { timeoutMs: 2_000 })
    expect(result).toMatchObject({ kind: 'answered', status: 200 })
  })

  test('a server that is silent: is a timeout', async () => {
    const receiver = await receive()
    receiver.answer = () => undefined
    expect(await postLocal(receiver, { timeoutMs: 200 })).toEqual({
      kind: 'failed',
      error: 'timeout',
    })
  })

  test('a server that hangs up: is a closed connection', async () => {
    const receiver = await receive()
    receiver.answer = (_message, response) => void response.socket?.destroy()
    expect(await postLocal(receiver)).toEqual({ kind: 'failed', error: 'connection_closed' })
  })

  test('a server that switches to another protocol: is a closed connection', async () => {
    const receiver = await receive()
    const switched = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n'
    receiver.answer = (_message, response) => void response.socket?.write(switched)
    expect(await postLocal(receiver)).toEqual({ kind: 'failed', error: 'connection_closed' })
  })

  test('a port where nobody listens: cannot be connected to', async () => {
    const receiver = await startReceiver()
    await receiver.close()
    expect(await postLocal(receiver)).toEqual({ kind: 'failed', error: 'connect' })
  })

  test('a resolver that is silent: is a timeout too', async () => {
    const resolve = () => new Promise<never>(() => undefined)
    const options = { resolve, timeoutMs: 100, allowedHosts: ['receiver'] }
    expect(await post('http://receiver/', options)).toEqual({ kind: 'failed', error: 'timeout' })
  })
})

describe('egress to everybody else', () => {
  const inCleartext = { kind: 'failed', error: 'url_refused' }
  const refused = { kind: 'failed', error: 'address_refused' }

  test('an address without TLS: is refused', async () => {
    expect(await post('http://1.1.1.1/')).toEqual(inCleartext)
  })

  test.each(['https://127.0.0.1/', 'https://2130706433/', 'https://0x7f.1/', 'https://[::1]/'])(
    'the address %s: is refused before anything is resolved',
    async (url) => {
      const resolve = () => Promise.reject(new Error('nobody asks'))
      expect(await post(url, { resolve })).toEqual(refused)
    },
  )

  test.each([
    ['loopback', ['127.0.0.1']],
    ['a mapped address', ['::ffff:10.0.0.1']],
    ['a public and a private address', ['1.1.1.1', '10.0.0.1']],
  ])('a name that means %s: is refused', async (_what, addresses) => {
    const resolve = async () =>
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))
    expect(await post(`https://${NAME}/`, { resolve })).toEqual(refused)
  })

  test('a name that nobody knows: is tried again later', async () => {
    const resolve = () => Promise.reject(new Error('ENOTFOUND'))
    expect(await post(`https://${NAME}/`, { resolve })).toEqual({ kind: 'failed', error: 'dns' })
    expect(await post(`https://${NAME}/`, { resolve: async () => [] })).toEqual({
      kind: 'failed',
      error: 'dns',
    })
  })

  /** 127.0.0.2 stands in for a public address, since tests have no other. */
  const rebinding = (port: number, ...answers: string[]) => {
    const asked: string[] = []
    const options: EgressOptions = {
      ca,
      ports: new Set([port]),
      isPublic: (address) => address === '127.0.0.2',
      resolve: async (host) => {
        asked.push(host)
        return [{ address: answers[asked.length - 1] ?? '127.0.0.1', family: 4 }]
      },
    }
    return { asked, send: () => post(`https://${NAME}:${port}/`, options) }
  }

  test('a name that changes its mind: is asked once, and its checked address gets it', async () => {
    const outside = await receive({ host: '127.0.0.2', tls })
    const inside = await receive({ port: outside.port, tls })
    const { asked, send } = rebinding(outside.port, '127.0.0.2')
    expect(await send()).toMatchObject({ kind: 'answered', status: 204 })
    expect([asked, outside.received.length, inside.received.length]).toEqual([[NAME], 1, 0])
    expect(outside.received[0]?.headers.host).toBe(`${NAME}:${outside.port}`)
    expect(await send()).toEqual(refused)
    expect([outside.received.length, inside.received.length]).toEqual([1, 0])
  })

  test('a certificate of an authority nobody trusts: is refused', async () => {
    const other = await issueServerCertificate(await makeAuthority(), [NAME])
    const foreign = { cert: other.certPem, key: other.keyPem }
    const receiver = await receive({ host: '127.0.0.2', tls: foreign })
    expect(await rebinding(receiver.port, '127.0.0.2').send()).toEqual({
      kind: 'failed',
      error: 'tls',
    })
    expect(receiver.received).toEqual([])
  })
})

import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'

import { createWeChatClient, DEFAULT_TIMEOUTS } from '../../src/wechat/client.js'
import type { WeChatClient, WeChatClientOptions } from '../../src/wechat/client.js'
import { refusingUrl, startDeafPeer, startSilentPeer } from './support/sockets.js'
import { makePki, startServer } from './support/tls.js'
import type { TestPki, TestServer } from './support/tls.js'

const TIMEOUTS = {
  waiting: { connectMs: 1_000, answerMs: 1_000 },
  background: { connectMs: 20_000, answerMs: 20_000 },
}
const WAITING = { urgency: 'waiting' } as const

let pki: TestPki
let server: TestServer
let client: WeChatClient

function createClient(options: Partial<WeChatClientOptions> = {}): WeChatClient {
  return createWeChatClient({
    baseUrl: server.baseUrl,
    ca: pki.ca.certPem,
    clientCertificate: { certPem: pki.merchant.certPem, keyPem: pki.merchant.keyPem },
    timeouts: TIMEOUTS,
    ...options,
  })
}

/** Runs with a client of its own, closed afterwards. */
async function using<Result>(
  options: Partial<WeChatClientOptions>,
  run: (own: WeChatClient) => Promise<Result>,
): Promise<Result> {
  const own = createClient(options)
  try {
    return await run(own)
  } finally {
    await own.close()
  }
}

beforeAll(async () => {
  pki = await makePki('10000100')
  server = await startServer(pki)
  client = createClient()
})

beforeEach(() => {
  server.received.length = 0
})

afterAll(async () => {
  await client.close()
  await server.close()
})

describe('WeChat client', () => {
  test('posts the document and gives back status and bytes as they are', async () => {
    server.reply = (_, response) => response.writeHead(503).end(Buffer.from([0xff, 0x00]))
    const exchange = await client.post('/pay/orderquery', '<xml>支付</xml>', WAITING)
    expect(exchange).toEqual({ kind: 'answer', status: 503, body: Buffer.from([0xff, 0x00]) })
    expect(server.received).toMatchObject([{ path: '/pay/orderquery', body: '<xml>支付</xml>' }])
    expect(server.received[0]?.headers['content-type']).toBe('text/xml; charset=utf-8')
  })

  test('shows the merchant’s certificate, which the server verifies', async () => {
    server.reply = (_, response) => response.end('<xml/>')
    await client.post('/secapi/pay/refund', '<xml/>', WAITING)
    expect(server.received[0]).toMatchObject({
      authorized: true,
      clientSerial: pki.merchant.serialNo,
    })
  })

  test('works without a certificate where the server does not insist', async () => {
    const own = createWeChatClient({ baseUrl: server.baseUrl, ca: pki.ca.certPem })
    expect(await own.post('/pay/orderquery', '<xml/>', WAITING)).toMatchObject({ status: 200 })
    expect(server.received[0]).toMatchObject({ authorized: false })
    await own.close()
  })

  test('verifies the server: another authority is an error, and nothing is sent', async () => {
    const stranger = await makePki('1')
    const exchange = await using({ ca: stranger.ca.certPem }, (own) =>
      own.post('/pay/orderquery', '<xml/>', WAITING),
    )
    expect(exchange).toMatchObject({ kind: 'failure', code: 'tls_error', sent: false })
    expect(server.received).toEqual([])
  })

  test('verifies the server: the system’s authorities do not know a private one', async () => {
    const own = createWeChatClient({ baseUrl: server.baseUrl })
    const exchange = await own.post('/pay/orderquery', '<xml/>', WAITING)
    expect(exchange).toMatchObject({ kind: 'failure', code: 'tls_error', sent: false })
    await own.close()
  })

  test('verifies the server also where the machine is told not to', async () => {
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0')
    // Node warns of it once, which is right and would only be noise here.
    const warning = vi.spyOn(process, 'emitWarning').mockReturnValue()
    const own = createWeChatClient({ baseUrl: server.baseUrl })
    const exchange = await own.post('/pay/orderquery', '<xml/>', WAITING)
    expect(exchange).toMatchObject({ kind: 'failure', code: 'tls_error', sent: false })
    await own.close()
    warning.mockRestore()
    vi.unstubAllEnvs()
  })

  test('refuses a base URL without TLS', () => {
    expect(() => createClient({ baseUrl: 'http://127.0.0.1:1' })).toThrow(TypeError)
  })

  test('does not follow a redirect', async () => {
    server.reply = (_, response) => response.writeHead(302, { location: '/elsewhere' }).end()
    const exchange = await client.post('/pay/orderquery', '<xml/>', WAITING)
    expect(exchange).toMatchObject({ kind: 'answer', status: 302 })
    expect(server.received.map(({ path }) => path)).toEqual(['/pay/orderquery'])
  })

  test('gives up on a silent answer after the time of its urgency', async () => {
    server.reply = (_, response) => setTimeout(() => response.end('<xml/>'), 2_500)
    const late = await client.post('/pay/orderquery', '<xml/>', WAITING)
    expect(late).toMatchObject({ kind: 'failure', code: 'answer_timeout', sent: true })
    const patient = await client.post('/pay/orderquery', '<xml/>', { urgency: 'background' })
    expect(patient).toMatchObject({ kind: 'answer', status: 200 })
  })

  test('gives up on an answer that drips, because the whole of it counts', async () => {
    server.reply = (_, response) => {
      response.write('<xml>')
      const drip = setInterval(() => response.write(' '), 50)
      response.on('close', () => clearInterval(drip))
    }
    const exchange = await client.post('/pay/orderquery', '<xml/>', WAITING)
    expect(exchange).toMatchObject({ kind: 'failure', code: 'answer_timeout' })
  })

  test('gives up on a huge answer without keeping it', async () => {
    server.reply = (_, response) => response.end('x'.repeat(2_000_000))
    const exchange = await client.post('/pay/orderquery', '<xml/>', WAITING)
    expect(exchange).toMatchObject({ kind: 'failure', code: 'answer_too_large', sent: true })
    server.reply = (_, response) => response.end('<xml/>')
    expect(await client.post('/', '<xml/>', WAITING)).toMatchObject({ kind: 'answer' })
  })

  test('a connection that breaks is a failure after the bytes were sent', async () => {
    server.reply = (_, response) => response.destroy()
    const exchange = await client.post('/pay/orderquery', '<xml/>', WAITING)
    expect(exchange).toMatchObject({ kind: 'failure', code: 'network_error', sent: true })
  })

  test('an answer that is cut off is a failure, whatever came of it', async () => {
    server.reply = (_, response) => {
      response.writeHead(200, { 'content-length': '100' })
      response.write('<xml><return_code>SUCCESS</return_code>', () => response.destroy())
    }
    const exchange = await client.post('/pay/orderquery', '<xml/>', WAITING)
    expect(exchange).toMatchObject({ kind: 'failure', code: 'network_error', sent: true })
  })

  test('an abort ends the call, also one that was ended before it began', async () => {
    const controller = new AbortController()
    server.reply = () => controller.abort()
    const options = { urgency: 'background', signal: controller.signal } as const
    const running = await client.post('/pay/orderquery', '<xml/>', options)
    expect(running).toMatchObject({ kind: 'failure', code: 'aborted', sent: true })
    const late = await client.post('/pay/closeorder', '<xml/>', options)
    expect(late).toMatchObject({ kind: 'failure', code: 'aborted', sent: false })
    expect(server.received.map(({ path }) => path)).toEqual(['/pay/orderquery'])
  })

  test('calls beyond the connections wait, and what gave up waiting is never sent', async () => {
    await using({ connections: 1 }, async (own) => {
      server.reply = ({ path }, response) => {
        setTimeout(() => response.end('<xml/>'), path === '/slow' ? 2_500 : 0)
      }
      const slow = own.post('/slow', '<xml/>', { urgency: 'background' })
      const hasty = await own.post('/hasty', '<xml/>', WAITING)
      expect(hasty).toMatchObject({ kind: 'failure', code: 'connect_timeout', sent: false })
      expect(await slow).toMatchObject({ kind: 'answer' })
      expect(await own.post('/next', '<xml/>', WAITING)).toMatchObject({ kind: 'answer' })
      expect(server.received.map(({ path }) => path)).toEqual(['/slow', '/next'])
    })
  })

  test('a call after closing fails without an exception', async () => {
    const own = createClient()
    await own.close()
    expect(await own.post('/', '<xml/>', WAITING)).toMatchObject({ kind: 'failure', sent: false })
  })
})

describe('WeChat client without a proper server', () => {
  test.each([
    ['accepts and stays silent', startSilentPeer],
    ['never accepts', startDeafPeer],
  ])('a socket that %s is a connect time-out', async (_, startPeer) => {
    const peer = await startPeer()
    onTestFinished(() => peer.close())
    const startedMs = performance.now()
    const exchange = await using({ baseUrl: peer.baseUrl }, (own) =>
      own.post('/', '<xml/>', WAITING).finally(() => {
        expect(performance.now() - startedMs).toBeLessThan(TIMEOUTS.background.connectMs)
      }),
    )
    expect(exchange).toMatchObject({ kind: 'failure', code: 'connect_timeout', sent: false })
  })

  test('a port where nobody listens is a network error', async () => {
    const baseUrl = await refusingUrl()
    const exchange = await using({ baseUrl }, (own) => own.post('/', '<xml/>', WAITING))
    expect(exchange).toEqual({
      kind: 'failure',
      code: 'network_error',
      message: 'ECONNREFUSED',
      sent: false,
    })
  })
})

test('WeChat client: a buyer is kept waiting 5 and 15 seconds, a machine 20 and 40', () => {
  expect(DEFAULT_TIMEOUTS).toEqual({
    waiting: { connectMs: 5_000, answerMs: 15_000 },
    background: { connectMs: 20_000, answerMs: 40_000 },
  })
})

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'

import { createWeChatClient } from '../../src/wechat/client.js'
import type { WeChatClientOptions } from '../../src/wechat/client.js'
import { startConnectProxy } from './support/connect-proxy.js'
import type { ConnectProxy } from './support/connect-proxy.js'
import { makePki, startServer } from './support/tls.js'
import type { TestPki, TestServer } from './support/tls.js'

const WAITING = { urgency: 'waiting' } as const
const TIMES = { connectMs: 1_500, answerMs: 1_500 }

let pki: TestPki
let server: TestServer
let proxy: ConnectProxy

beforeAll(async () => {
  pki = await makePki('10000100')
  ;[server, proxy] = await Promise.all([startServer(pki), startConnectProxy()])
})

beforeEach(() => {
  server.received.length = 0
  proxy.asked.length = 0
  proxy.behaviour = 'tunnel'
})

afterAll(async () => {
  await proxy.close()
  await server.close()
})

async function post(options: Partial<WeChatClientOptions> = {}) {
  const client = createWeChatClient({
    baseUrl: server.baseUrl,
    ca: pki.ca.certPem,
    proxyUrl: proxy.url,
    timeouts: { waiting: TIMES, background: TIMES },
    ...options,
  })
  try {
    return await client.post('/secapi/pay/refund', '<xml>退款</xml>', WAITING)
  } finally {
    await client.close()
  }
}

describe('WeChat client behind a proxy', () => {
  test('mutual TLS reaches through: the server sees the merchant’s certificate', async () => {
    const { certPem, keyPem } = pki.merchant
    expect(await post({ clientCertificate: { certPem, keyPem } })).toMatchObject({ status: 200 })
    const target = server.baseUrl.replace('https://', '')
    expect(proxy.asked).toEqual([{ target, authorization: undefined }])
    expect(server.received).toMatchObject([
      {
        path: '/secapi/pay/refund',
        body: '<xml>退款</xml>',
        authorized: true,
        clientSerial: pki.merchant.serialNo,
      },
    ])
    expect(server.received[0]?.headers).not.toHaveProperty('proxy-authorization')
  })

  test('the proxy is told the name and password of its address', async () => {
    await post({ proxyUrl: `http://yuanlu:p%40ss@${proxy.host}` })
    const authorization = `Basic ${Buffer.from('yuanlu:p@ss').toString('base64')}`
    expect(proxy.asked).toMatchObject([{ authorization }])
  })

  test('the server is verified through the proxy as well, and nothing is sent', async () => {
    const stranger = await makePki('1')
    expect(await post({ ca: stranger.ca.certPem })).toMatchObject({
      kind: 'failure',
      code: 'tls_error',
      sent: false,
    })
    expect(server.received).toEqual([])
  })

  test('a proxy that refuses is a failure to connect', async () => {
    proxy.behaviour = 'refuse'
    expect(await post()).toMatchObject({ kind: 'failure', code: 'network_error', sent: false })
  })

  test('a proxy that stays silent is a connect time-out', async () => {
    proxy.behaviour = 'silent'
    expect(await post()).toMatchObject({ kind: 'failure', code: 'connect_timeout', sent: false })
    expect(server.received).toEqual([])
  })

  test('a proxy that is not there is a failure to connect', async () => {
    expect(await post({ proxyUrl: 'http://127.0.0.1:1' })).toMatchObject({
      kind: 'failure',
      sent: false,
    })
  })

  test('many calls at a time share it', async () => {
    const client = createWeChatClient({
      baseUrl: server.baseUrl,
      ca: pki.ca.certPem,
      proxyUrl: proxy.url,
      connections: 4,
    })
    const calls = Array.from({ length: 20 }, (_, n) => client.post(`/${n}`, '<xml/>', WAITING))
    expect((await Promise.all(calls)).every(({ kind }) => kind === 'answer')).toBe(true)
    expect(proxy.asked.length).toBeLessThanOrEqual(4)
    await client.close()
  })
})

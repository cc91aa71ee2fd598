import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'

import { createWeChatClient } from '../../src/wechat/client.js'
import type { WeChatClientOptions } from '../../src/wechat/client.js'
import { createHosts } from '../../src/wechat/hosts.js'
import { refusingUrl, startDeafPeer, startSilentPeer } from './support/sockets.js'
import type { BadPeer } from './support/sockets.js'
import { makePki, startServer } from './support/tls.js'
import type { TestPki, TestServer } from './support/tls.js'

const WAITING = { urgency: 'waiting' } as const
const TIMES = { connectMs: 3_000, answerMs: 2_000 }

let pki: TestPki
let main: TestServer
let backup: TestServer

beforeAll(async () => {
  pki = await makePki('10000100')
  ;[main, backup] = await Promise.all([startServer(pki), startServer(pki)])
})

beforeEach(() => {
  for (const server of [main, backup]) {
    server.received.length = 0
    server.reply = (_, response) => response.end('<xml/>')
  }
})

afterAll(async () => {
  await Promise.all([main.close(), backup.close()])
})

async function using<Result>(
  options: Partial<WeChatClientOptions>,
  run: (client: ReturnType<typeof createWeChatClient>) => Promise<Result>,
): Promise<Result> {
  const client = createWeChatClient({
    baseUrl: main.baseUrl,
    backupUrl: backup.baseUrl,
    ca: pki.ca.certPem,
    timeouts: { waiting: TIMES, background: TIMES },
    ...options,
  })
  try {
    return await run(client)
  } finally {
    await client.close()
  }
}

const paths = (server: TestServer): string[] => server.received.map(({ path }) => path)

describe('Backup host', () => {
  test('is not asked while the first host can be reached', async () => {
    await using({}, async (client) => {
      expect(await client.post('/one', '<xml/>', WAITING)).toMatchObject({ kind: 'answer' })
    })
    expect([paths(main), paths(backup)]).toEqual([['/one'], []])
  })

  test('takes the same bytes when nobody listens at the first', async () => {
    const exchange = await using({ baseUrl: await refusingUrl() }, (client) =>
      client.post('/one', '<xml>a</xml>', WAITING),
    )
    expect(exchange).toMatchObject({ kind: 'answer', status: 200 })
    expect(backup.received).toMatchObject([{ path: '/one', body: '<xml>a</xml>' }])
  })

  test.each([
    ['accepts and stays silent', startSilentPeer],
    ['never accepts', startDeafPeer],
  ])('takes over from a first host that %s, and is remembered', async (_, startPeer) => {
    const peer: BadPeer = await startPeer()
    onTestFinished(() => peer.close())
    await using({ baseUrl: peer.baseUrl }, async (client) => {
      expect(await client.post('/one', '<xml/>', WAITING)).toMatchObject({ kind: 'answer' })
      const accepted = peer.accepted()
      const startedMs = performance.now()
      expect(await client.post('/two', '<xml/>', WAITING)).toMatchObject({ kind: 'answer' })
      expect(performance.now() - startedMs).toBeLessThan(TIMES.connectMs)
      expect(peer.accepted()).toBe(accepted)
    })
    expect(paths(backup)).toEqual(['/one', '/two'])
  })

  test('is never asked once bytes may have left: silence, a cut, an error page', async () => {
    await using({}, async (client) => {
      main.reply = () => undefined
      expect(await client.post('/one', '<xml/>', WAITING)).toMatchObject({ code: 'answer_timeout' })
      main.reply = (_, response) => response.destroy()
      expect(await client.post('/two', '<xml/>', WAITING)).toMatchObject({ code: 'network_error' })
      main.reply = (_, response) => response.writeHead(502).end('<html>')
      expect(await client.post('/three', '<xml/>', WAITING)).toMatchObject({ status: 502 })
    })
    expect([paths(main), paths(backup)]).toEqual([['/one', '/two', '/three'], []])
  })

  test('is not asked in place of a host with a wrong certificate', async () => {
    const stranger = await startServer(await makePki('1'))
    onTestFinished(() => stranger.close())
    const exchange = await using({ baseUrl: stranger.baseUrl }, (client) =>
      client.post('/one', '<xml/>', WAITING),
    )
    expect(exchange).toMatchObject({ kind: 'failure', code: 'tls_error', sent: false })
    expect(paths(backup)).toEqual([])
  })

  test('is not asked for a call that its caller gave up', async () => {
    const peer = await startSilentPeer()
    onTestFinished(() => peer.close())
    const exchange = await using({ baseUrl: peer.baseUrl }, (client) =>
      client.post('/one', '<xml/>', { ...WAITING, signal: AbortSignal.timeout(50) }),
    )
    expect(exchange).toMatchObject({ code: 'aborted', sent: false })
    expect(paths(backup)).toEqual([])
  })

  test('both out of reach: a failure of which nothing was sent', async () => {
    const urls = { baseUrl: await refusingUrl(), backupUrl: await refusingUrl() }
    expect(await using(urls, (client) => client.post('/one', '<xml/>', WAITING))).toEqual({
      kind: 'failure',
      code: 'network_error',
      message: 'ECONNREFUSED',
      sent: false,
    })
  })
})

test('hosts: one that was out of reach is tried last for a minute', () => {
  let nowMs = 0
  const hosts = createHosts(['main', 'backup'], { nowMs: () => nowMs })
  expect(hosts.inOrder()).toEqual(['main', 'backup'])
  hosts.avoid('main')
  expect(hosts.inOrder()).toEqual(['backup', 'main'])
  hosts.avoid('backup')
  expect(hosts.inOrder()).toEqual(['main', 'backup'])
  nowMs = 60_000
  expect(hosts.inOrder()).toEqual(['main', 'backup'])
})

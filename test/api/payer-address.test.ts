import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { openChannelRequest } from '../../src/db/channel-requests.js'
import { only } from '../../src/db/pool.js'
import { onceKey, ORDER, startServer, type ServerUnderTest } from './server-under-test.js'

const PROXY = '10.0.0.7'
const BUYER = '203.0.113.7'

let server: ServerUnderTest

beforeAll(async () => {
  server = await startServer(['10.0.0.0/8'])
})
afterAll(() => server.stop())

/** Which address of the payer WeChat Pay is told of an order that was sent like this. */
async function toldAddress(
  remoteAddress: string,
  forwarded: string | undefined,
  body: object = {},
): Promise<string> {
  const answer = await server.app.inject({
    method: 'POST',
    url: '/v1/payments',
    remoteAddress,
    headers: {
      authorization: `Bearer ${server.keys.asker}`,
      'idempotency-key': onceKey(),
      ...(forwarded === undefined ? {} : { 'x-forwarded-for': forwarded }),
    },
    payload: { ...ORDER, ...body },
  })
  const { id } = answer.json<{ id: string }>()
  const text = 'select channel_request as sealed from payments where id = $1'
  const { sealed } = only(await server.owner.rows<{ sealed: Buffer }>({ text }, [id]))
  return openChannelRequest(server.envelope, id, sealed).payerIp
}

describe("the payer's address of an order that names none", () => {
  test('without a proxy: is where the connection comes from', async () => {
    expect(await toldAddress(BUYER, undefined)).toBe(BUYER)
    expect(await toldAddress(`::ffff:${BUYER}`, undefined)).toBe(BUYER)
  })

  test('through a listed proxy: is what that says', async () => {
    expect(await toldAddress(PROXY, BUYER)).toBe(BUYER)
    expect(await toldAddress(PROXY, `198.51.100.1, ${BUYER}, 10.0.0.8`)).toBe(BUYER)
  })

  test.each(['unknown', `${BUYER}:4711`, '<xml>'])(
    'through a listed proxy that says %s: is that of the proxy',
    async (forwarded) => {
      expect(await toldAddress(PROXY, forwarded)).toBe(PROXY)
    },
  )

  test('through anybody else: is theirs, whatever they say', async () => {
    expect(await toldAddress('192.0.2.9', BUYER)).toBe('192.0.2.9')
  })

  test('in the order itself: is that one', async () => {
    expect(await toldAddress(PROXY, '198.51.100.1', { payerIp: BUYER })).toBe(BUYER)
  })
})

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { readFlatXml } from '../../src/sandbox/xml.js'
import { createWeChatChannel } from '../../src/wechat/channel.js'
import { createNonce } from '../../src/wechat/v2/request.js'
import { API_KEY, MCH_ID, signedXml } from './support/messages.js'
import { startChannelToSandbox } from './support/sandbox-channel.js'
import type { ChannelToSandbox } from './support/sandbox-channel.js'
import { makePki, startServer } from './support/tls.js'
import type { TestPki, TestServer } from './support/tls.js'

const WAITING = { urgency: 'waiting' } as const

let peer: ChannelToSandbox
let pki: TestPki
let server: TestServer
let orders = 0

beforeAll(async () => {
  ;[peer, pki] = await Promise.all([startChannelToSandbox({ strict: true }), makePki(MCH_ID)])
  server = await startServer(pki)
})

afterAll(async () => {
  await Promise.all([peer.stop(), server.close()])
})

/** An order of its own, so that no test sees another's. */
function newOrder(change: object = {}): ChannelToSandbox['order'] {
  orders += 1
  return { ...peer.order, outTradeNo: `T2026010100${1000 + orders}`, ...change }
}

const TEXTS: readonly (readonly [what: string, text: string])[] = [
  ['the end of a CDATA section', '茶]]>叶]]]]>>'],
  ['markup and references', '<b>&amp;</b> "a" \'b\' &#x41;'],
  ['emoji, also those of several characters', '🍵👨‍👩‍👧🇨🇳'],
  ['control characters', 'a\u0000b\u0007c\u001Fd\u007F'],
  ['halves of characters', 'a\uD83Db\uDC00c'],
  ['characters that XML has no place for', 'a\uFFFEb\uFFFFc'],
  ['line ends and tabs', 'a\r\nb\rc\nd\te'],
  ['blanks at both ends', '  a  '],
  ['what takes part in a signature', 'a=1&key=2'],
]

describe('Text of an order', () => {
  test.each(TEXTS)('%s: arrives signed, whatever it holds', async (_, text) => {
    const order = newOrder({ body: `原路-${text}`, attach: text })
    expect(await peer.channel.placeOrder(order, WAITING)).toMatchObject({ kind: 'placed' })
  })

  test.each([
    ['Chinese', '茶', 42],
    ['emoji', '🍵', 31],
    ['accents', 'é', 63],
    ['letters', 'a', 127],
  ])('body: is cut at 127 bytes on a character: %s', async (_, character, kept) => {
    const { fields } = await sentBy((channel) =>
      channel.placeOrder({ ...peer.order, body: character.repeat(200) }, WAITING),
    )
    expect(fields['body']).toBe(character.repeat(kept))
    const long = newOrder({ body: character.repeat(200) })
    expect(await peer.channel.placeOrder(long, WAITING)).toMatchObject({ kind: 'placed' })
  })

  test('attach: is sent whole, because it comes back unchanged', async () => {
    const attach = '附'.repeat(42)
    const { fields } = await sentBy((channel) =>
      channel.placeOrder({ ...peer.order, attach }, WAITING),
    )
    expect(fields['attach']).toBe(attach)
  })

  test.each([
    ['203.0.113.7', '203.0.113.7'],
    ['2001:db8::7', '2001:db8::7'],
    ['::ffff:203.0.113.7', '203.0.113.7'],
    ['::FFFF:203.0.113.7', '203.0.113.7'],
    ['fe80::7%eth0', 'fe80::7'],
  ])('payer’s address: %s is sent as %s', async (payerIp, expected) => {
    const { fields } = await sentBy((channel) =>
      channel.placeOrder({ ...peer.order, payerIp }, WAITING),
    )
    expect(fields['spbill_create_ip']).toBe(expected)
  })

  test.each(['203.0.113.7', '2001:db8::7'])('payer’s address: %s is taken', async (payerIp) => {
    const order = newOrder({ payerIp })
    expect(await peer.channel.placeOrder(order, WAITING)).toMatchObject({ kind: 'placed' })
  })
})

describe('An order that is placed again', () => {
  test('is the same document but for nonce and signature', async () => {
    const stored = JSON.stringify({ ...peer.order, attach: '<]]>🍵' })
    const documents = []
    for (let round = 0; round < 2; round += 1) {
      const sent = await sentBy((channel) => channel.placeOrder(JSON.parse(stored), WAITING))
      documents.push(sent.body.replaceAll(/<(nonce_str|sign)>.*?<\/\1>/g, '<$1/>'))
    }
    expect(documents[1]).toBe(documents[0])
    expect(documents[0]).toContain('<nonce_str/>')
  })

  test('gets the same prepay_id; one with other content is refused for good', async () => {
    const order = newOrder()
    const first = await peer.channel.placeOrder(order, WAITING)
    expect(await peer.channel.placeOrder(order, WAITING)).toEqual(first)
    const other = { ...order, body: '原路-别的' }
    expect(await peer.channel.placeOrder(other, WAITING)).toMatchObject({
      kind: 'refused',
      code: 'OUT_TRADE_NO_USED',
      retry: 'never',
    })
  })
})

describe('A refund', () => {
  test('names its operator: the merchant number unless the merchant names another', async () => {
    for (const opUserId of [MCH_ID, 'clerk-7']) {
      const { fields } = await sentBy(
        (channel) => channel.submitRefund(peer.refund, WAITING),
        opUserId,
      )
      expect(fields['op_user_id']).toBe(opUserId)
    }
  })

  test('reason: is cut at 80 bytes on a character, which fits bytes and characters', async () => {
    const order = newOrder()
    await peer.channel.placeOrder(order, WAITING)
    const { mchId } = peer.sandbox.merchants[0]
    await peer.sandbox.control.pay({ mchId, outTradeNo: order.outTradeNo })
    const { outTradeNo } = order
    const refund = { ...peer.refund, outTradeNo, outRefundNo: 'R-long', reason: '退🍵'.repeat(40) }
    expect(await peer.channel.submitRefund(refund, WAITING)).toMatchObject({ kind: 'accepted' })
  })
})

test('nonce: 32 characters of the system’s random source, never twice the same', () => {
  const nonces = Array.from({ length: 10_000 }, createNonce)
  expect(new Set(nonces).size).toBe(nonces.length)
  expect(nonces.every((nonce) => /^[0-9a-f]{32}$/.test(nonce))).toBe(true)
})

test('nonce: every call has its own', async () => {
  const sent = []
  for (let round = 0; round < 3; round += 1) {
    sent.push(await sentBy((channel) => channel.queryOrder(peer.order, WAITING)))
  }
  expect(new Set(sent.map(({ fields }) => fields['nonce_str'])).size).toBe(3)
})

/** What one call puts on the wire. */
async function sentBy(
  run: (channel: ReturnType<typeof createWeChatChannel>) => Promise<unknown>,
  opUserId = MCH_ID,
): Promise<{ readonly body: string; readonly fields: Readonly<Record<string, string>> }> {
  const { certPem, keyPem } = pki.merchant
  const channel = createWeChatChannel({
    mchId: MCH_ID,
    apiV2Key: API_KEY,
    signType: 'HMAC-SHA256',
    opUserId,
    baseUrl: server.baseUrl,
    caPem: pki.ca.certPem,
    clientCertificate: { certPem, keyPem },
  })
  server.reply = (_, response) => response.end(signedXml({ prepay_id: 'wx20' }))
  await run(channel)
  await channel.close()
  const body = server.received.at(-1)?.body ?? ''
  return { body, fields: Object.fromEntries(readFlatXml(body)) }
}

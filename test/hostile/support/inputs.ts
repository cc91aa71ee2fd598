import { createCipheriv, createHash } from 'node:crypto'

import { Random } from '../../db/support/random.js'
import { paidFields, signedXml } from '../../api/paid-notification.js'
import { writeXml } from '../../../src/wechat/v2/xml-writer.js'
import { readFixture } from '../../wechat/support/fixtures.js'
import { mutateBytes, mutateFields, mutateJson, NASTY_TEXTS, nastyJson } from './mutations.js'
import { API_V2_KEY, APP_ID, MCH_ID, OUT_TRADE_NO } from './target.js'
import { extremeXml, grammarXml } from './xml-grammar.js'

/** One hostile request: which kind of input it is, and what is sent. */
export interface Input {
  readonly lane: Lane
  readonly method: 'POST' | 'GET' | 'PUT' | 'PATCH' | 'DELETE'
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

/** An operation that takes JSON, with a body that it would take. */
export interface JsonOperation {
  readonly method: 'POST' | 'PUT' | 'PATCH'
  readonly path: string
  readonly sample: unknown
}

export interface Surface {
  readonly notifyToken: string
  readonly apiKey: string
  readonly jsonOperations: readonly JsonOperation[]
  /** Paths that are read, with `{id}` in them. */
  readonly readPaths: readonly string[]
}

const MAKERS = {
  /** The bytes of a genuine payment notification, spoilt. */
  'payment: bytes': (random, surface) =>
    notification(surface, 'payment', mutateBytes(random, GENUINE_PAYMENT)),
  /** Another message, truly signed with the merchant's key, about no order of theirs. */
  'payment: signed fields': (random, surface) => {
    const fields = Object.fromEntries(mutateFields(random, paidFields(STRANGE_NO)))
    const { out_trade_no: _ours, ...rest } = fields
    const numbered = { ...rest, out_trade_no: random.pick([STRANGE_NO, ...NASTY_TEXTS]) }
    return notification(surface, 'payment', Buffer.from(signedXml(writable(numbered), API_V2_KEY)))
  },
  /** The merchant's own order with other facts, under a sign that does not fit. */
  'payment: wrong sign': (random, surface) => {
    const fields = Object.fromEntries(mutateFields(random, paidFields(OUT_TRADE_NO)))
    const sign = random.pick([...NASTY_TEXTS, 'F'.repeat(32), 'F'.repeat(64)])
    const body = writeXml(Object.entries({ ...writable(fields), sign }))
    return notification(surface, 'payment', Buffer.from(body))
  },
  'payment: coupons': (random, surface) =>
    notification(surface, 'payment', mutateBytes(random, COUPONS)),
  'refund: bytes': (random, surface) =>
    notification(surface, 'refund', mutateBytes(random, refundXml(REFUND_DOCUMENT))),
  /** A document of an attacker's making, truly encrypted with the merchant's key. */
  'refund: encrypted': (random, surface) => {
    const document = random.pick([
      () => mutateBytes(random, REFUND_DOCUMENT),
      () => Buffer.from(grammarXml(random)),
      () => Buffer.from(extremeXml(random).slice(0, 20_000)),
    ])()
    return notification(surface, 'refund', refundXml(document))
  },
  /** ECB protects nothing against change: blocks of the cipher text lost, doubled and swapped. */
  'refund: blocks': (random, surface) =>
    notification(
      surface,
      'refund',
      refundXml(REFUND_DOCUMENT, (cipher) => shuffled(random, cipher)),
    ),
  'xml: grammar': (random, surface) =>
    notification(surface, random.pick(KINDS), Buffer.from(grammarXml(random))),
  'xml: extremes': (random, surface) =>
    notification(surface, random.pick(KINDS), Buffer.from(extremeXml(random))),
  /** Genuine bytes in another encoding, or with headers that say something else of them. */
  'notification: headers': (random, surface) => ({
    ...notification(surface, random.pick(KINDS), otherwise(random)),
    method: random.pick(['POST', 'POST', 'POST', 'PUT', 'GET', 'DELETE', 'PATCH']),
    headers: { 'content-type': random.pick(CONTENT_TYPES) },
  }),
  'notification: address': (random, surface) => {
    const token = random.pick([
      surface.notifyToken.slice(1),
      `${surface.notifyToken}x`,
      ...NASTY_TEXTS.map(encoded),
    ])
    const path = `/notify/${token}/${random.pick(['payment', 'refund', 'x', ''])}`
    return { ...notification(surface, 'payment', GENUINE_PAYMENT), path }
  },
  'json: bodies': (random, surface) => {
    const { method, path, sample } = random.pick(surface.jsonOperations)
    return {
      method,
      path: withIds(random, path),
      headers: headersOf(random, surface),
      body: Buffer.from(mutateJson(random, sample), random.pick(['utf8', 'utf8', 'latin1'])),
    }
  },
  'json: anything': (random, surface) => {
    const { method, path } = random.pick(surface.jsonOperations)
    return {
      method,
      path: withIds(random, path),
      headers: headersOf(random, surface),
      body: Buffer.from(JSON.stringify(nastyJson(random)) ?? ''),
    }
  },
  'queries and ids': (random, surface) => ({
    method: 'GET',
    path: `${withIds(random, random.pick(surface.readPaths))}${query(random)}`,
    headers: headersOf(random, surface),
    body: Buffer.of(),
  }),
} as const satisfies Record<string, (random: Random, surface: Surface) => Omit<Input, 'lane'>>

export type Lane = keyof typeof MAKERS

export const LANES = Object.keys(MAKERS) as readonly Lane[]

/** The same seed and number make the same input, whatever came before. */
export function makeInput(seed: number, number: number, surface: Surface): Input {
  const random = new Random(Math.imul(seed | 1, 0x9e3779b1) ^ Math.imul(number + 1, 0x85ebca6b))
  // The first numbers of a generator that was seeded alike are alike.
  random.below(2)
  const lane = LANES[number % LANES.length] ?? 'payment: bytes'
  return { lane, ...MAKERS[lane](random, surface) }
}

const KINDS = ['payment', 'refund'] as const
const STRANGE_NO = 'P20261123999999'
export const GENUINE_PAYMENT = Buffer.from(signedXml(paidFields(OUT_TRADE_NO), API_V2_KEY))
const COUPONS = readFixture('v2_pay_notification_coupons.xml')
const REFUND_DOCUMENT = readFixture('v2_refund_req_info_gopay.decrypted.xml')
const BLOCK_BYTES = 16

export const CONTENT_TYPES = [
  'application/json',
  'text/xml; charset=utf-16',
  'multipart/form-data; boundary=x',
  'application/x-www-form-urlencoded',
  'text/plain',
  '*/*',
  'x',
  'application/json; charset=utf-8; charset=gbk',
]

const notification = (
  { notifyToken }: Surface,
  kind: 'payment' | 'refund',
  body: Buffer,
): Omit<Input, 'lane'> => ({
  method: 'POST',
  path: `/notify/${notifyToken}/${kind}`,
  headers: { 'content-type': 'text/xml' },
  body,
})

/** Names that no XML can have are no message of anybody's. */
const writable = (fields: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(fields).filter(([name]) => /^[A-Za-z_][\w.-]*$/.test(name)))

function refundXml(document: Buffer, change: (cipherText: Buffer) => Buffer = (same) => same) {
  const key = createHash('md5').update(API_V2_KEY).digest('hex')
  const cipher = createCipheriv('aes-256-ecb', key, null)
  const encrypted = Buffer.concat([cipher.update(document), cipher.final()])
  const fields = {
    return_code: 'SUCCESS',
    appid: APP_ID,
    mch_id: MCH_ID,
    nonce_str: 'n',
    req_info: change(encrypted).toString('base64'),
  }
  return Buffer.from(writeXml(Object.entries(fields)))
}

function shuffled(random: Random, cipherText: Buffer): Buffer {
  const count = cipherText.length / BLOCK_BYTES
  const blocks = Array.from({ length: count }, (_, index) =>
    cipherText.subarray(index * BLOCK_BYTES, (index + 1) * BLOCK_BYTES),
  )
  for (let n = 0; n <= random.below(4); n += 1) {
    const [from, to] = [random.below(blocks.length), random.below(blocks.length)]
    const [block = Buffer.alloc(BLOCK_BYTES)] = blocks.splice(from, random.below(2) + 1)
    blocks.splice(to, random.below(2), block)
  }
  return Buffer.concat(blocks)
}

const otherwise = (random: Random): Buffer =>
  random.pick([
    Buffer.from(GENUINE_PAYMENT.toString('utf8'), 'utf16le'),
    Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), mutateBytes(random, GENUINE_PAYMENT)]),
    Buffer.alloc(64 * 1_024 + 1, 'x'),
    Buffer.of(),
    mutateBytes(random, GENUINE_PAYMENT),
  ])

const headersOf = (random: Random, { apiKey }: Surface): Record<string, string> => ({
  // Without a key to repeat it by nothing is begun, so that all of it can be valid but this.
  authorization: random.pick([`Bearer ${apiKey}`, `Bearer ${apiKey}`, 'Bearer yk_x', 'Basic Og==']),
  'content-type': random.pick(['application/json', 'application/json', ...CONTENT_TYPES]),
  'accept-language': random.pick(['zh', 'en', '*;q=', 'x'.repeat(500)]),
})

const NIL = '00000000-0000-7000-8000-000000000000'

function encoded(text: string): string {
  // A lone surrogate has no bytes that could stand in an address.
  return encodeURIComponent(/\p{Cs}/u.test(text) ? 'x' : text).slice(0, 2_000)
}

const withIds = (random: Random, path: string): string =>
  path.replaceAll(/\{\w+\}/g, () => random.pick([NIL, NIL, '1', encoded(random.pick(NASTY_TEXTS))]))

const QUERY_NAMES = ['limit', 'cursor', 'state', 'wait', 'from', 'to', 'orderRef', 'after', 'x']

function query(random: Random): string {
  const pairs = Array.from({ length: random.below(4) }, () => {
    const value = encoded(random.pick(NASTY_TEXTS))
    // A wait is kept for real, and nobody waits for a test.
    const name = random.pick(QUERY_NAMES)
    return name === 'wait' ? 'wait=0' : `${name}=${value}`
  })
  return pairs.length === 0 ? '' : `?${pairs.join('&')}`
}

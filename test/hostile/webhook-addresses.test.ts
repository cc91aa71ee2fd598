import fc from 'fast-check'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'

import { issueServerCertificate, makeAuthority } from '../../src/sandbox/authority.js'
import { createEgress, type Egress } from '../../src/webhooks/egress.js'
import { targetOf } from '../../src/webhooks/target.js'
import { addPayment } from '../db/support/book.js'
import { startReceiver, status, type Receiver } from '../webhooks/support/receiver.js'
import { openShop, type Shop } from '../webhooks/support/shop.js'

const RUNS = 2_000

/** Networks that no stranger may have us speak to, each with the first and the last address. */
const INSIDE = [
  [0x00000000, 0x00ffffff],
  [0x0a000000, 0x0affffff],
  [0x64400000, 0x647fffff],
  [0x7f000000, 0x7fffffff],
  [0xa9fe0000, 0xa9feffff],
  [0xac100000, 0xac1fffff],
  [0xc0a80000, 0xc0a8ffff],
  [0xe0000000, 0xffffffff],
] as const

const inside = fc
  .constantFrom(...INSIDE)
  .chain(([min, max]) => fc.oneof(fc.integer({ min, max }), fc.constantFrom(min, max)))

const octetsOf = (address: number): number[] =>
  [24, 16, 8, 0].map((shift) => (address >>> shift) & 0xff)
const dotted = (address: number): string => octetsOf(address).join('.')
const groups = (address: number): string =>
  `${(address >>> 16).toString(16)}:${(address & 0xffff).toString(16)}`

/** Every way in which programs are known to write, or to hide, an IPv4 address. */
const NOTATIONS: readonly ((address: number) => string)[] = [
  dotted,
  (address) => `${dotted(address)}.`,
  String,
  (address) => `0x${address.toString(16)}`,
  (address) => `0${address.toString(8)}`,
  (address) =>
    octetsOf(address)
      .map((octet) => `0x${octet.toString(16)}`)
      .join('.'),
  (address) =>
    octetsOf(address)
      .map((octet) => `0${octet.toString(8)}`)
      .join('.'),
  (address) => {
    const [first, ...rest] = octetsOf(address)
    return `${first}.${rest.reduce((sum, octet) => sum * 256 + octet, 0)}`
  },
  // full-width digits and dots, which the URL standard reads as plain ones
  (address) =>
    dotted(address).replaceAll(/[\d.]/g, (sign) => {
      return sign === '.' ? '。' : String.fromCodePoint(0xff10 + Number(sign))
    }),
  (address) => dotted(address).replaceAll('.', '%2e'),
  (address) => `[::ffff:${dotted(address)}]`,
  (address) => `[::ffff:${groups(address)}]`,
  (address) => `[::${dotted(address)}]`,
  (address) => `[64:ff9b::${groups(address)}]`,
  (address) => `[2002:${groups(address)}::1]`,
  (address) => `[2001:0:${groups(address)}::]`,
]

/** The first of them are IPv4 to everybody; what hides one in an IPv6 address is never taken. */
const PLAIN_NOTATIONS = 10

describe('an address of the inside, however it is written', () => {
  const written = fc.tuple(inside, fc.constantFrom(...NOTATIONS))

  test('as the host of an endpoint: is refused', () => {
    fc.assert(
      fc.property(written, fc.webPath(), ([address, notation], path) => {
        const url = `https://${notation(address)}${path}`
        expect(['not_public', 'not_a_url'], url).toContain(targetOf(url, []))
      }),
      { numRuns: RUNS },
    )
  })

  test('as what a name means: is refused before anything is connected to', async () => {
    const answers = fc.tuple(
      fc.array(fc.constantFrom<string>('1.1.1.1', '2606:4700::1111')),
      inside,
    )
    await fc.assert(
      fc.asyncProperty(answers, fc.nat(), async ([others, address], at) => {
        const addresses = others.toSpliced(at % (others.length + 1), 0, dotted(address))
        const resolve = async () =>
          addresses.map((each) => ({ address: each, family: each.includes(':') ? 6 : 4 }))
        const post = createEgress({ resolve, timeoutMs: 1 })
        const result = await post({ url: 'https://shop.example.com/', headers: {}, body: '' })
        expect(result).toEqual({ kind: 'failed', error: 'address_refused' })
      }),
      { numRuns: 300 },
    )
  })

  test.each(
    NOTATIONS.slice(0, PLAIN_NOTATIONS).map((notation) => ({ written: notation(0x01010101) })),
  )(
    'a public address written $written: is taken, so that it is the address that is refused',
    ({ written: host }) => {
      expect(targetOf(`https://${host}/`, [])).toMatchObject({ host: '1.1.1.1' })
    },
  )
})

/** 127.0.0.2 stands in for the internet, since tests have no other. */
const OUTSIDE = '127.0.0.2'
const NAME = 'shop.example.com'

describe('a merchant who would have us speak to the inside', () => {
  let ca: string
  let tls: { cert: string; key: string }
  let shop: Shop
  let outside: Receiver
  let inner: Receiver

  beforeAll(async () => {
    const authority = await makeAuthority()
    const { certPem: cert, keyPem: key } = await issueServerCertificate(authority, [NAME])
    ca = authority.certPem
    tls = { cert, key }
  })
  beforeEach(async () => {
    shop = await openShop()
    outside = await startReceiver({ host: OUTSIDE, tls })
    inner = await startReceiver({ port: outside.port, tls })
  })
  afterEach(async () => {
    await Promise.all([outside.close(), inner.close()])
    await shop.close()
  })

  /** The engine's way out, on a net whose resolver is the merchant's. */
  const wayOut = (resolved: () => string): Egress =>
    createEgress({
      ca,
      ports: new Set([outside.port]),
      isPublic: (address) => address === OUTSIDE,
      resolve: async () => [{ address: resolved(), family: 4 }],
    })

  async function deliverOnce(egress: Egress): Promise<void> {
    const worker = shop.worker(egress)
    await worker.tick()
    await worker.idle()
  }

  const states = async (): Promise<string[]> =>
    (await shop.rows<{ state: string }>('select state from webhook_deliveries')).map(
      ({ state }) => state,
    )

  async function due(): Promise<void> {
    await shop.addEndpoint({ url: `https://${NAME}:${outside.port}/hook` })
    await shop.tell(await addPayment(shop.book))
    await shop.fanOut()
  }

  test.each([301, 302, 303, 307, 308])('by answering %i: is not followed', async (code) => {
    await due()
    outside.answer = status(code, { location: `https://${NAME}:${inner.port}/inside` })
    await deliverOnce(wayOut(() => OUTSIDE))
    expect([outside.received.length, inner.received.length]).toEqual([1, 0])
    expect(await states()).toEqual(['dead'])
  })

  test('by a name that means another address at the second try: gets nothing there', async () => {
    await due()
    const answers = [OUTSIDE, '127.0.0.1']
    const egress = wayOut(() => answers.shift() ?? '127.0.0.1')
    outside.answer = status(503)
    await deliverOnce(egress)
    expect(await states()).toEqual(['pending'])
    shop.clock.advance(24 * 3_600_000)
    await deliverOnce(egress)
    expect([outside.received.length, inner.received.length]).toEqual([1, 0])
    expect(await states()).toEqual(['dead'])
  })

  test('by a name that changes its mind while we connect: gets it where we looked', async () => {
    await due()
    let asked = 0
    const egress = wayOut(() => {
      asked += 1
      return asked === 1 ? OUTSIDE : '127.0.0.1'
    })
    await deliverOnce(egress)
    expect([asked, outside.received.length, inner.received.length]).toEqual([1, 1, 0])
    expect(await states()).toEqual(['delivered'])
  })
})

import { randomBytes } from 'node:crypto'

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { openChannelRequest, sealChannelRequest } from '../../src/db/channel-requests.js'
import { Envelope } from '../../src/db/envelope.js'
import { fen } from '../../src/domain/money.js'

const KEY = randomBytes(32)
const REFUSED = /^(This is not a sealed secret|Unsupported state or unable to authenticate data)/
const envelope = new Envelope(KEY)
const secrets = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes))

describe('sealing a secret', () => {
  test('any secret in any context: opens to what it was', () => {
    fc.assert(
      fc.property(secrets, fc.string(), (secret, context) => {
        expect(envelope.open(envelope.seal(secret, context), context)).toEqual(secret)
      }),
    )
  })

  test('another context: does not open it', () => {
    fc.assert(
      fc.property(secrets, fc.string(), fc.string(), (secret, one, two) => {
        fc.pre(one !== two)
        const sealed = envelope.seal(secret, one)
        expect(() => envelope.open(sealed, two)).toThrow(REFUSED)
      }),
    )
  })

  test('another master key: does not open it', () => {
    const sealed = envelope.seal('secret', 'context')
    expect(() => new Envelope(randomBytes(32)).open(sealed, 'context')).toThrow(REFUSED)
  })

  test('one bit changed anywhere: does not open', () => {
    const sealed = envelope.seal('a secret', 'context')
    fc.assert(
      fc.property(fc.nat(sealed.length - 1), fc.nat(7), (at, bit) => {
        const changed = Buffer.from(sealed)
        changed[at] = (changed[at] ?? 0) ^ (1 << bit)
        expect(() => envelope.open(changed, 'context')).toThrow(REFUSED)
      }),
    )
  })

  test('cut off anywhere, or longer: does not open', () => {
    const sealed = envelope.seal('a secret', 'context')
    for (let length = 0; length < sealed.length; length += 1) {
      expect(() => envelope.open(sealed.subarray(0, length), 'context')).toThrow(REFUSED)
    }
    expect(() => envelope.open(Buffer.concat([sealed, Buffer.of(0)]), 'context')).toThrow(REFUSED)
  })

  test('the same secret twice: gives bytes that have nothing in common', () => {
    const [one, two] = [envelope.seal('secret', 'c'), envelope.seal('secret', 'c')]
    expect(one.subarray(1, 61)).not.toEqual(two.subarray(1, 61))
    expect(one.subarray(61)).not.toEqual(two.subarray(61))
    expect(one.toString('latin1')).not.toContain('secret')
  })

  test.each([0, 16, 31, 33, 64])('a master key of %i bytes: is refused', (length) => {
    expect(() => new Envelope(Buffer.alloc(length))).toThrow('The master key must have 32 bytes.')
  })

  test('the name of a master key: is the same for the same key and tells nothing of it', () => {
    expect(new Envelope(KEY).kekId).toBe(envelope.kekId)
    expect(new Envelope(randomBytes(32)).kekId).not.toBe(envelope.kekId)
    expect(KEY.toString('hex')).not.toContain(envelope.kekId)
    expect(JSON.stringify(envelope)).toBe(JSON.stringify({ kekId: envelope.kekId }))
  })
})

describe('the request of an order', () => {
  const REQUEST = {
    appId: 'wx1',
    outTradeNo: 'P000001',
    body: '店-茶',
    totalFen: fen(100),
    payerIp: '127.0.0.1',
    openid: 'o-1',
    notifyUrl: 'https://example.com/notify/x/payment',
  }

  test('sealed and opened: is the same, and names no payer in between', () => {
    const sealed = sealChannelRequest(envelope, 'payment-1', REQUEST)
    expect(sealed.toString('latin1')).not.toContain('o-1')
    expect(openChannelRequest(envelope, 'payment-1', sealed)).toEqual(REQUEST)
  })

  test('moved to another payment: does not open', () => {
    const sealed = sealChannelRequest(envelope, 'payment-1', REQUEST)
    expect(() => openChannelRequest(envelope, 'payment-2', sealed)).toThrow(REFUSED)
  })
})

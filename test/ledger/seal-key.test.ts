import { generateKeyPairSync } from 'node:crypto'

import { describe, expect, test } from 'vitest'

import {
  isSealedBy,
  publicKeyOf,
  publicKeyPem,
  readPublicKey,
  SealingKey,
} from '../../src/ledger/seal-key.js'

/** RFC 8032, section 7.1, test 2. */
const SEED = '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb'
const PUBLIC = '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c'
const SIGNATURE =
  '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da' +
  '085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00'

const hex = (digits: string): Buffer => Buffer.from(digits, 'hex')

describe('the sealing key', () => {
  test('a known seed: has the public key and signs as RFC 8032 says', () => {
    const key = new SealingKey(hex(SEED))
    expect(key.publicKey.toString('hex')).toBe(PUBLIC)
    expect(key.sign(hex('72')).toString('hex')).toBe(SIGNATURE)
    expect(isSealedBy(publicKeyOf(hex(PUBLIC)), hex('72'), hex(SIGNATURE))).toBe(true)
    expect(isSealedBy(publicKeyOf(hex(PUBLIC)), hex('73'), hex(SIGNATURE))).toBe(false)
  })

  test('a public key in PEM: is read as it was written', () => {
    expect(readPublicKey(publicKeyPem(hex(PUBLIC)))).toEqual(hex(PUBLIC))
  })

  test('a key of another kind: is refused', () => {
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const pem = publicKey.export({ format: 'pem', type: 'spki' }).toString()
    expect(() => readPublicKey(pem)).toThrow('not an Ed25519 key')
  })

  test('a seed of another length: is refused', () => {
    expect(() => new SealingKey(Buffer.alloc(31))).toThrow(RangeError)
  })
})

import { createCipheriv, createHash } from 'node:crypto'

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { encryptRequestInfo } from '../../../src/sandbox/sign.js'
import { decryptReqInfo, reqInfoKey } from '../../../src/wechat/v2/req-info.js'
import { readFixture, vectorsOf } from '../support/fixtures.js'

describe('req_info', () => {
  test.each(vectorsOf('v2-refund-notify-key'))('published key: $id', ({ inputs, expected }) => {
    expect(reqInfoKey(inputs.api_key ?? '')).toBe(expected.aes_key)
  })

  test.each(vectorsOf('aes-256-ecb-pkcs7').filter(({ inputs }) => inputs.req_info !== undefined))(
    'published notification: $id',
    ({ inputs, expected }) => {
      const opened = decryptReqInfo(inputs.req_info ?? '', inputs.api_key ?? '')
      expect(opened).toEqual(readFixture(String(expected.plaintext_file)))
      const hash = createHash('sha256')
        .update(opened ?? '')
        .digest('hex')
      expect(hash).toBe(expected.plaintext_sha256)
    },
  )

  test.each(vectorsOf('aes-256-ecb-pkcs7').filter(({ inputs }) => inputs.req_info === undefined))(
    'published cipher vector: $id',
    ({ inputs, expected }) => {
      // These give the AES key itself, so they hold the cipher we use, not the key's derivation.
      const cipher = createCipheriv('aes-256-ecb', inputs.key ?? '', null)
      const plaintext = inputs.plaintext ?? String(expected.plaintext)
      const encrypted = Buffer.concat([cipher.update(plaintext, 'utf8'), cipher.final()])
      expect(encrypted.toString('base64')).toBe(
        inputs.ciphertext_base64 ?? expected.ciphertext_base64,
      )
    },
  )

  test('a key whose hash begins with zeros opens what it closed', () => {
    expect(reqInfoKey('363')).toMatch(/^00[0-9a-f]{30}$/)
    const opened = decryptReqInfo(encryptRequestInfo('<root/>', '363'), '363')
    expect(Buffer.from(opened ?? []).toString()).toBe('<root/>')
  })

  test('what other code encrypts opens with the same key', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string(), (document, apiKey) => {
        const opened = decryptReqInfo(encryptRequestInfo(document, apiKey), apiKey)
        expect(Buffer.from(opened ?? []).toString('utf8')).toBe(document)
      }),
    )
  })

  test('line breaks inside the Base64 do no harm', () => {
    const wrapped = encryptRequestInfo('<root></root>', 'k').replaceAll(/(.{10})/g, '$1\n')
    expect(decryptReqInfo(wrapped, 'k')).toEqual(Buffer.from('<root></root>'))
  })

  test.each([
    ['no Base64', '<xml/>'],
    ['no whole block', 'aGVsbG8='],
    ['empty', ''],
    ['bad padding', Buffer.alloc(32).toString('base64')],
  ])('refused without an exception: %s', (_, reqInfo) => {
    expect(decryptReqInfo(reqInfo, 'k')).toBeUndefined()
  })
})

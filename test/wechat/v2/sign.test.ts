import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { signFields as signIndependently } from '../../../src/sandbox/sign.js'
import { signFrontEndParameters } from '../../../src/wechat/v2/front-end.js'
import { signFields, stringToSign, verifyFields } from '../../../src/wechat/v2/sign.js'
import type { SignType } from '../../../src/wechat/v2/sign.js'
import { readXml } from '../../../src/wechat/v2/xml.js'
import { readFixture, vectorsOf } from '../support/fixtures.js'

const signTypes = fc.constantFrom<SignType>('MD5', 'HMAC-SHA256')
const names = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,20}$/).filter((name) => name !== 'sign')
const messages = fc.dictionary(names, fc.string({ unit: 'binary' }), { noNullPrototype: true })

describe('V2 signature', () => {
  test.each(vectorsOf('v2-sign-md5', 'v2-sign-hmac-sha256'))(
    'published vector: $id',
    ({ inputs, expected }) => {
      const fields = new Map(Object.entries(inputs.params ?? {}))
      const { key = '', sign_type: signType = 'MD5' } = inputs
      expect(stringToSign(fields, key)).toBe(inputs.string_to_sign)
      expect(signFields(fields, key, signType)).toBe(expected.sign)
      expect(verifyFields(fields.set('sign', String(expected.sign)), key)).toBe(true)
    },
  )

  test.each(vectorsOf('v2-xml-verify'))('published document: $id', ({ inputs, expected }) => {
    const fields = readXml(readFixture(inputs.xml_file ?? ''))
    expect(verifyFields(fields, inputs.key ?? '')).toBe(expected.valid)
  })

  test('signing: names are sorted by ASCII, upper case before lower case', () => {
    const fields = new Map([
      ['b', '1'],
      ['B', '2'],
      ['a_1', '3'],
      ['a1', '4'],
    ])
    expect(stringToSign(fields, 'k')).toBe('B=2&a1=4&a_1=3&b=1&key=k')
  })

  test('verifying: any message signed by other code verifies, and only with its key', () => {
    fc.assert(
      fc.property(messages, fc.string(), signTypes, (message, apiKey, signType) => {
        const sign = signIndependently(message, apiKey, signType)
        const fields = new Map(Object.entries({ ...message, sign }))
        expect(signFields(fields, apiKey, signType)).toBe(sign)
        expect(verifyFields(fields, apiKey)).toBe(true)
        expect(verifyFields(fields, `${apiKey}x`)).toBe(false)
      }),
    )
  })

  test('verifying: a changed, added or removed value breaks the signature', () => {
    fc.assert(
      fc.property(messages, names, fc.string({ minLength: 1 }), (message, name, value) => {
        fc.pre(message[name] !== value)
        const sign = signIndependently(message, 'key', 'HMAC-SHA256')
        const fields = new Map(Object.entries({ ...message, [name]: value, sign }))
        expect(verifyFields(fields, 'key')).toBe(false)
      }),
    )
  })

  test.each<SignType>(['MD5', 'HMAC-SHA256'])(
    'verifying: every character of a signature by %s counts',
    (signType) => {
      const sign = signFields(new Map([['a', '1']]), 'k', signType)
      for (let at = 0; at < sign.length; at += 1) {
        const other = sign[at] === '0' ? '1' : '0'
        const changed = `${sign.slice(0, at)}${other}${sign.slice(at + 1)}`
        const fields = new Map([
          ['a', '1'],
          ['sign', changed],
        ])
        expect(verifyFields(fields, 'k'), `character ${at}`).toBe(false)
      }
    },
  )

  test('verifying: the algorithm can be demanded', () => {
    const fields = new Map([['a', '1']])
    fields.set('sign', signFields(fields, 'k', 'MD5'))
    expect(verifyFields(fields, 'k', 'MD5')).toBe(true)
    expect(verifyFields(fields, 'k', 'HMAC-SHA256')).toBe(false)
  })

  test('verifying: garbage as a signature is false and never an exception', () => {
    const garbage = fc.string({ unit: 'binary', minLength: 32, maxLength: 64 })
    fc.assert(
      fc.property(garbage, (sign) => {
        expect(verifyFields(new Map([['sign', sign]]), 'k')).toBe(false)
      }),
    )
    expect(verifyFields(new Map([['sign', '支'.repeat(32)]]), 'k')).toBe(false)
    expect(verifyFields(new Map(), 'k')).toBe(false)
  })
})

describe('Front-end parameters', () => {
  test.each(vectorsOf('v2-sign-md5', 'v2-sign-hmac-sha256').filter(({ id }) => /paysign/.test(id)))(
    'paySign of a published vector: $id',
    ({ inputs, expected }) => {
      const { key = '', sign_type: signType = 'MD5' } = inputs
      const order = {
        appId: 'mock-appid',
        prepayId: 'mock-prepay-id',
        nowMs: 1_601_234_567_890,
        nonce: 'mock-nonce',
      }
      expect(signFrontEndParameters(order, { apiKey: key, signType })).toEqual({
        ...inputs.params,
        paySign: expected.sign,
      })
    },
  )

  test('the nonce is fresh each time', () => {
    const order = { appId: 'a', prepayId: 'p', nowMs: 0 }
    const sign = () => signFrontEndParameters(order, { apiKey: 'k', signType: 'MD5' }).nonceStr
    expect(sign()).not.toBe(sign())
    expect(sign()).toMatch(/^[0-9a-f]{32}$/)
  })
})

import { createDecipheriv } from 'node:crypto'
import { readFileSync } from 'node:fs'

import { expect, test } from 'vitest'

import { encryptRequestInfo, isSigned, signFields } from '../../src/sandbox/sign.js'
import type { SignType } from '../../src/sandbox/sign.js'
import { readFlatXml, writeFlatXml, XmlRefusedError } from '../../src/sandbox/xml.js'

interface Vector {
  readonly id: string
  readonly kind: string
  readonly inputs: {
    readonly params?: Record<string, string>
    readonly key?: string
    readonly sign_type?: SignType
    readonly api_key?: string
    readonly aes_key_md5hex?: string
    readonly req_info?: string
  }
  readonly expected: { readonly sign?: string }
}

const folder = new URL('../fixtures/wechat/', import.meta.url)
const { vectors } = JSON.parse(readFileSync(new URL('v2-vectors.json', folder), 'utf8')) as {
  vectors: Vector[]
}

const signatures = vectors.filter(({ kind }) => kind.startsWith('v2-sign-'))

test('vectors: there are signatures of both kinds', () => {
  const kinds = new Set(signatures.map(({ kind }) => kind))
  expect([...kinds].toSorted()).toEqual(['v2-sign-hmac-sha256', 'v2-sign-md5'])
})

test.each(signatures)('signature $id: is the published one', ({ inputs, expected }) => {
  const { params = {}, key = '', sign_type: signType = 'MD5' } = inputs
  const sign = signFields(params, key, signType)
  expect(sign).toBe(expected.sign)
  expect(isSigned({ ...params, sign }, key, signType)).toBe(true)
  expect(isSigned({ ...params, sign: '' }, key, signType)).toBe(false)
  expect(isSigned({ ...params, sign, more: 'x' }, key, signType)).toBe(false)
})

test('req_info: what is encrypted here equals what WeChat Pay encrypted', () => {
  const { inputs } = vectors.find(({ id }) => id === 'v2-refund-reqinfo-gopay') ?? {}
  const key = inputs?.aes_key_md5hex ?? ''
  const decipher = createDecipheriv('aes-256-ecb', key, null)
  const document =
    decipher.update(inputs?.req_info ?? '', 'base64', 'utf8') + decipher.final('utf8')
  expect(document).toContain('<root>')
  expect(encryptRequestInfo(document, inputs?.api_key ?? '')).toBe(inputs?.req_info)
})

test('xml: a written document reads back, whatever the values hold', () => {
  const fields = { a: 'x & y < z ]]> "q"', b: '1E5', c: '0100', d: '12', e: '退款', f: ' pad ' }
  expect(Object.fromEntries(readFlatXml(writeFlatXml(fields)))).toEqual(fields)
})

test.each(['php_invalid.bad_entity.sample.xml', 'php_invalid.xxe_injection.sample.xml'])(
  'xml: refuses %s',
  (name) => {
    const text = readFileSync(new URL(name, folder), 'utf8')
    expect(() => readFlatXml(text)).toThrow(XmlRefusedError)
  },
)

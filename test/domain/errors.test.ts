import { describe, expect, test } from 'vitest'

import { CodedError, ERRORS, type ErrorCode } from '../../src/domain/errors.js'

const CODES = Object.keys(ERRORS) as ErrorCode[]

describe('catalogue of errors', () => {
  test.each(CODES)('%s: has a status, a retry class and a sentence in each language', (code) => {
    const { status, retry, en, zh } = ERRORS[code]
    expect(code).toMatch(/^[a-z]+(_[a-z]+)*$/)
    expect([400, 401, 403, 404, 405, 409, 413, 415, 422, 500, 503]).toContain(status)
    expect(['never', 'later', 'now']).toContain(retry)
    expect(en).toMatch(/^[A-Z].*[.]$/)
    expect(zh).toMatch(/\p{Script=Han}.*。$/u)
  })

  test('the sentences: tell every code from every other', () => {
    for (const language of ['en', 'zh'] as const) {
      const sentences = CODES.map((code) => ERRORS[code][language])
      expect(new Set(sentences).size).toBe(CODES.length)
    }
  })

  test('a fault of ours: is worth asking again, a malformed request is not', () => {
    for (const code of CODES) {
      const { status, retry } = ERRORS[code]
      if (status >= 500) expect(retry, code).not.toBe('never')
      if (status < 409 || status === 422) expect(retry, code).toBe('never')
    }
  })

  test('a coded error: carries its code and facts, and is an Error', () => {
    const error = new CodedError('refund_exceeds_payment', { leftFen: 12 })
    expect(error).toBeInstanceOf(Error)
    expect({ name: error.name, message: error.message, code: error.code }).toEqual({
      name: 'CodedError',
      message: 'refund_exceeds_payment',
      code: 'refund_exceeds_payment',
    })
    expect(error.details).toEqual({ leftFen: 12 })
    expect(new CodedError('not_found').details).toEqual({})
  })
})

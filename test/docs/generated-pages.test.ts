import { describe, expect, test } from 'vitest'

import { generatedPages } from '../../scripts/generate-docs.js'
import { ERRORS } from '../../src/domain/errors.js'
import { PAYMENT_EDGES, REFUND_EDGES, REFUND_STATES } from '../../src/domain/states.js'
import { refundWords } from '../../src/domain/words.js'
import { read } from './project-facts.js'

const pages = [...generatedPages()]

describe('generated pages', () => {
  test.each(pages)('%s: is what scripts/generate-docs.ts makes of the domain', (file, text) => {
    expect(read(file)).toBe(text)
  })

  test('states page: shows every edge in its table and in its diagram', () => {
    const page = read('docs/reference/states.md')
    for (const [from, edges] of Object.entries({ ...PAYMENT_EDGES, ...REFUND_EDGES })) {
      for (const { to, why } of edges) {
        expect(page).toContain(`  ${from} --> ${to}: `)
        expect(page).toContain(`| \`${from}\` | \`${to}\` |`)
        expect(page).toContain(why)
      }
    }
  })

  test.each(REFUND_STATES)('states page: shows the words of refund state %s', (state) => {
    const { backOffice, finance, buyer } = refundWords(state, null)
    expect(read('docs/reference/states.md')).toContain(
      `| \`${state}\` | ${backOffice} | ${finance} | ${buyer} |`,
    )
  })

  test('errors page: holds each code of the catalogue and no other', () => {
    const codes = [...read('docs/reference/errors.md').matchAll(/^\| `(\w+)` \|/gm)]
    expect(codes.map(([, code]) => code)).toEqual(Object.keys(ERRORS))
  })
})

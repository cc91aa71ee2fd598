import { describe, expect, test } from 'vitest'

import { parseMerchant } from '../../src/cli/merchant-input.js'
import { SCOPES } from '../../src/db/api-keys.js'
import { read } from './project-facts.js'

const page = read('docs/operating.md')

describe('what docs/operating.md says of merchants and keys', () => {
  test('merchant example: is accepted as it stands', () => {
    const json = /^```json\n(?<json>[\s\S]*?)^```/m.exec(page)?.groups?.['json'] ?? ''
    expect(parseMerchant(JSON.parse(json))).toMatchObject({ account: { mode: 'live' } })
  })

  test('scopes: those named are those that exist', () => {
    const areas = 'payments|refunds|cases|ledger|merchants|audit|webhooks'
    const named = new Set(page.match(new RegExp(`\\b(?:${areas}):[a-z]+\\b`, 'g')))
    expect([...named].toSorted()).toEqual([...SCOPES].toSorted())
  })
})

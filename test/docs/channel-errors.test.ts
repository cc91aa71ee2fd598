import { describe, expect, test } from 'vitest'

import { channelErrorsPage } from '../../scripts/generate-channel-docs.js'
import { NO_ANSWERS, V2_CALLS, V2_ERROR_CODES } from '../../src/wechat/v2/error-codes.js'
import { read } from './project-facts.js'

const page = read('docs/reference/channel-errors.md')

/** The codes in the rows of one section, in their order. */
function documentedCodes(section: string): string[] {
  const [, text = ''] = page.split(`<!-- begin ${section} -->`)
  const [rows = ''] = text.split(`<!-- end ${section} -->`)
  return [...rows.matchAll(/^\| `(\w+)` \|/gm)].map(([, code = '']) => code)
}

describe('docs/reference/channel-errors.md', () => {
  test('channel errors page: is what the table of error codes makes of it', () => {
    expect(page).toBe(channelErrorsPage())
  })

  test.each(V2_CALLS)('channel errors page: %s has a row per code, and no other row', (call) => {
    expect(documentedCodes(call)).toEqual(Object.keys(V2_ERROR_CODES[call]).toSorted())
  })

  test('channel errors page: names all that is no answer', () => {
    expect(documentedCodes('no-answer')).toEqual(Object.keys(NO_ANSWERS))
  })
})

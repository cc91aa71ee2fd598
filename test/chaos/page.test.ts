import { readFileSync } from 'node:fs'
import path from 'node:path'

import { describe, expect, test } from 'vitest'

import { FAULT_KINDS } from '../../src/chaos/kinds.js'
import { PROFILES } from '../../src/chaos/profiles.js'
import { jsonOf } from '../../src/chaos/report.js'
import { cloneRoot } from '../../src/cli/local/clone.js'
import { drillResult } from './support/drill-result.js'

const page = readFileSync(path.join(cloneRoot, 'docs', 'reference', 'chaos.md'), 'utf8')

/** The first cells of the rows of a section's table. */
function namesIn(section: string): string[] {
  const [, text = ''] = page.split(`## ${section}\n`)
  const [own = ''] = text.split('\n## ')
  return [...own.matchAll(/^\| `(\w+)` \|/gm)].map(([, name = '']) => name)
}

describe('docs/reference/chaos.md', () => {
  test('its faults: are the kinds there are, in their order', () => {
    expect(namesIn('Faults')).toEqual(Object.keys(FAULT_KINDS))
  })

  test('its JSON: has the members that are there', () => {
    const [, section = ''] = page.split('## As JSON\n')
    const [table = ''] = section.split('\n\nOf a planted bug')
    const cells = [...table.matchAll(/^\| (`.+?) \|/gm)].map(([, cell = '']) => cell)
    const members = cells.flatMap((cell) => cell.match(/\w+/g) ?? [])
    expect(new Set(members)).toEqual(new Set(Object.keys(jsonOf(drillResult()))))
  })

  test('its profiles: are those there are, each with its sentence', () => {
    expect(namesIn('Profiles')).toEqual(Object.keys(PROFILES))
    for (const { sentence } of Object.values(PROFILES)) expect(page).toContain(`| ${sentence} |`)
  })
})

import { readFileSync } from 'node:fs'
import path from 'node:path'

import { describe, expect, test } from 'vitest'

import { FAULT_KINDS } from '../../src/chaos/kinds.js'
import { PROFILES } from '../../src/chaos/profiles.js'
import { cloneRoot } from '../../src/cli/local/clone.js'

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

  test('its profiles: are those there are, each with its sentence', () => {
    expect(namesIn('Profiles')).toEqual(Object.keys(PROFILES))
    for (const { sentence } of Object.values(PROFILES)) expect(page).toContain(`| ${sentence} |`)
  })
})

import { describe, expect, test } from 'vitest'

import { knownVariables, read } from './project-facts.js'

const NAME = /^\| `([A-Z_]+)` \|/gm

describe('docs/reference/configuration.md', () => {
  const documented = [...read('docs/reference/configuration.md').matchAll(NAME)].map(
    ([, name]) => name ?? '',
  )

  test('configuration page: names every variable the code reads, and no other', () => {
    expect(documented.toSorted()).toEqual([...knownVariables()].toSorted())
  })

  test('configuration page: names each once', () => {
    expect(documented).toEqual([...new Set(documented)])
  })
})

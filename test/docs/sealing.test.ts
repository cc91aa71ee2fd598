import { expect, test } from 'vitest'

import { FINDING_KINDS } from '../../src/ledger/findings.js'
import { read } from './project-facts.js'

const FINDING = /^\| `([a-z]+_[a-z]+)` \| (.*) \|$/gm

test('sealing page: names every finding there is, with what it means', () => {
  const table = read('docs/reference/sealing.md').split('| finding | means |')[1] ?? ''
  const documented = [...table.matchAll(FINDING)].map(([, kind, means]) => [kind, means])
  expect(documented.slice(0, Object.keys(FINDING_KINDS).length)).toEqual(
    Object.entries(FINDING_KINDS),
  )
})

import { readFileSync } from 'node:fs'

import { expect, test } from 'vitest'

import { CALL_NAMES } from '../../src/sandbox/call-names.js'
import { FAULT_KINDS, FAULTS_OF_CALL } from '../../src/sandbox/faults.js'
import { BUSINESS_TEXTS, PROTOCOL_TEXTS } from '../../src/sandbox/refusal.js'

/** docs/reference/sandbox.md and the code, held against each other. */

const page = readFileSync(new URL('../../docs/reference/sandbox.md', import.meta.url), 'utf8')

function rowsOf(header: string): string[][] {
  const lines = page.slice(page.indexOf(header)).split('\n')
  const length = lines.findIndex((line) => !line.startsWith('|'))
  const rows = lines.slice(2, length)
  return rows.map((row) => row.slice(2, -2).split(' | '))
}

test('docs: every fault has its row and every row is a fault', () => {
  const kinds = rowsOf('| fault | of |').map(([kind = '']) => kind.replaceAll('`', ''))
  expect(kinds.toSorted()).toEqual(FAULT_KINDS.toSorted())
})

test('docs: each fault is armed for what its row says', () => {
  for (const [kind = '', of = ''] of rowsOf('| fault | of |')) {
    const armable = CALL_NAMES.filter((call) =>
      FAULTS_OF_CALL[call].some((one) => `\`${one}\`` === kind),
    )
    const told = CALL_NAMES.filter((call) =>
      call.startsWith('notify_')
        ? of === 'notifications'
        : of === 'calls' || of.includes(`\`${call}\``),
    )
    expect([kind, ...armable]).toEqual([kind, ...told])
  }
})

test('docs: every code that the sandbox answers has its row, on its level', () => {
  const rows = rowsOf('| code | level |')
  const told = rows.map(([code = '', level = '']) => `${level} ${code.replaceAll('`', '')}`)
  const byHand = ['LACK_PARAMS', 'PARAM_ERROR'].map((code) => `protocol ${code}`)
  const worded = ['ERROR', 'INVALID_REQUEST'].map((code) => `business ${code}`)
  const known = [
    ...Object.keys(PROTOCOL_TEXTS).map((code) => `protocol ${code}`),
    ...Object.keys(BUSINESS_TEXTS).map((code) => `business ${code}`),
  ]
  expect(told.toSorted()).toEqual([...known, ...byHand, ...worded].toSorted())
})

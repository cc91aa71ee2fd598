import { existsSync } from 'node:fs'
import path from 'node:path'

import { describe, expect, test } from 'vitest'

import { OFFENCES } from '../../src/chaos/books/offences.js'
import { sabotages } from '../../src/chaos/sabotage/catalogue.js'
import { cloneRoot } from '../../src/cli/local/clone.js'
import { read } from './project-facts.js'

const page = read('docs/reference/guarantees.md')
const TEST_LINK = /\(((?:\.\.\/)*test\/[^)\s]+)\)/g

/** The rows of a table between its marks, each as its cells. */
function tableOf(name: string): string[][] {
  const [, block = ''] = page.split(`<!-- begin ${name} -->`)
  const [table = ''] = block.split(`<!-- end ${name} -->`)
  const lines = table.trim().split('\n').slice(2)
  return lines.map((line) => line.slice(2, -2).split(' | '))
}

const testsIn = (text: string): string[] =>
  [...text.matchAll(TEST_LINK)].map(([, target = '']) => target.replace(/^(\.\.\/)+/, ''))

describe('the page of guarantees', () => {
  const promises = tableOf('promises')

  test.each(promises)('%s: has what keeps it, and tests that are there', (_promise, by, shown) => {
    expect(by).not.toBe('')
    const tests = testsIn(shown ?? '')
    expect(tests).not.toEqual([])
    expect(tests.filter((file) => !existsSync(path.join(cloneRoot, file)))).toEqual([])
  })

  test.each(['README.md', 'README.zh-CN.md'])('the promises of %s: stand in it', (file) => {
    const shown = new Set(promises.flatMap(([, , tests = '']) => testsIn(tests)))
    const promised = testsIn(read(file))
    expect(promised.length).toBeGreaterThan(3)
    expect(promised.filter((each) => !shown.has(each))).toEqual([])
  })

  test('the planted bugs: are those of the catalogue, under the names they are found by', () => {
    const WORDS = { overRefunded: 'over-refunded' } as const
    const expected = Object.entries(sabotages).map(([name, { sentence, offence }]) => {
      const part = OFFENCES[offence]
      const word = part === 'overRefunded' ? WORDS[part] : part
      return [`\`${name}\``, sentence, `\`${offence}\` (${word})`]
    })
    expect(tableOf('sabotages')).toEqual(expected)
  })

  test('the last verdict: is a good one, and can be asked for again', () => {
    const [, block = ''] = page.split('<!-- begin verdict -->')
    const [verdict = ''] = block.split('<!-- end verdict -->')
    expect(verdict).toMatch(/yuanlu chaos --payments \d+ --seed \d+/)
    const line = verdict.split('\n').find((each) => each.startsWith('verdict: '))
    expect(line?.replace(/\d+ payments, \d+ refunds, /, '')).toBe(
      'verdict: 0 lost, 0 doubled, 0 over-refunded, 0 stuck, book sums to 0',
    )
  })
})

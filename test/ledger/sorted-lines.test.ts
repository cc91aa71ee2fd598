import { readdir } from 'node:fs/promises'

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { LineSorter } from '../../src/ledger/sorted-lines.js'
import { makeTestFolder } from '../support/test-folder.js'

async function sort(lines: readonly string[], charactersMax: number): Promise<string[]> {
  const folder = await makeTestFolder('sorting')
  const sorter = new LineSorter({ folder, name: 'lines', charactersMax })
  for (const line of lines) {
    sorter.add(line)
    await sorter.makeRoom()
  }
  const sorted: string[] = []
  for await (const batch of sorter.sorted()) sorted.push(...batch)
  return sorted
}

const texts = fc.array(fc.stringMatching(/^[0-9a-c退]{0,6}$/), { maxLength: 200 })

describe('sorting lines', () => {
  test.each([1, 50, 1_000_000])('%i characters in memory: are sorted', async (charactersMax) => {
    await fc.assert(
      fc.asyncProperty(texts, async (lines) => {
        expect(await sort(lines, charactersMax)).toEqual(lines.toSorted())
      }),
      { numRuns: 10 },
    )
  })

  test('many more lines than memory takes: leave few files', async () => {
    const folder = await makeTestFolder('sorting')
    const sorter = new LineSorter({ folder, name: 'lines', charactersMax: 10 })
    for (let n = 0; n < 2_000; n += 1) {
      sorter.add(String((n * 7_919) % 2_000).padStart(8, '0'))
      await sorter.makeRoom()
    }
    expect((await readdir(folder)).length).toBeLessThan(128)
    let count = 0
    for await (const batch of sorter.sorted())
      for (const line of batch) {
        expect(Number(line)).toBe(count)
        count += 1
      }
    expect(count).toBe(2_000)
  })
})

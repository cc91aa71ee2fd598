import { appendFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, beforeAll, expect, test } from 'vitest'

import { FileJournal, readJournal } from '../../src/sandbox/journal.js'

let folder: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'yuanlu-journal-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('a line: is in the file as soon as it is appended, for whoever is killed right after', () => {
  const path = join(folder, 'killed.jsonl')
  const journal = new FileJournal(path)
  journal.append('order', { outTradeNo: 'A1' })
  expect(readJournal(path)).toEqual([{ kind: 'order', value: { outTradeNo: 'A1' } }])
  journal.close()
})

test('a line that a crash has cut off: is left out', () => {
  const path = join(folder, 'cut.jsonl')
  const journal = new FileJournal(path)
  journal.append('order', 1)
  journal.close()
  appendFileSync(path, '{"kind":"ord')
  expect(readJournal(path)).toEqual([{ kind: 'order', value: 1 }])
})

test('what comes after the end: is not written', () => {
  const path = join(folder, 'closed.jsonl')
  const journal = new FileJournal(path)
  journal.close()
  journal.append('order', 1)
  expect(readJournal(path)).toEqual([])
})

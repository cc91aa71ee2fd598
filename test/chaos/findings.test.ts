import { describe, expect, test } from 'vitest'

import { findingsOf, type DrillResult } from '../../src/chaos/drill.js'
import {
  jsonOf,
  jsonOfSabotage,
  linesOf,
  linesOfSabotage,
  statusOf,
  statusOfSabotage,
} from '../../src/chaos/report.js'
import { sabotages } from '../../src/chaos/sabotage/catalogue.js'
import { CLEAN, drillResult as result, QUIET } from './support/drill-result.js'

const OFFENDER = { kind: 'refunded_twice', subject: 'R1', sentence: 'R1 was sent twice.' } as const

describe('the findings of a drill', () => {
  test('that went well: are none, and the verdict is the last line', () => {
    expect(findingsOf(result())).toEqual([])
    expect(linesOf(result()).at(-1)).toBe(
      'verdict: 200 payments, 204 refunds, 0 lost, 0 doubled, 0 over-refunded, 0 stuck, ' +
        'book sums to 0',
    )
    expect(jsonOf(result())).toMatchObject({ ok: true, offenders: [] })
    expect(statusOf(result())).toBe(0)
  })

  test.each<[string, Partial<DrillResult>, string]>([
    [
      'a book that differs',
      { verdict: { ...CLEAN, doubled: [OFFENDER] } },
      'refunded_twice: R1 was sent twice.',
    ],
    ['a sum', { verdict: { ...CLEAN, bookSumFen: 3 } }, 'The book sums to 3 fen.'],
    [
      'a fault that never happened',
      { faults: { html_page: { planned: 2, happened: 0 } } },
      'html_page was planned and never happened.',
    ],
    [
      'a process that died by itself',
      { surprises: [{ subject: 'worker', sentence: 'worker ended with status 1.' }] },
      'worker ended with status 1.',
    ],
  ])('with %s: name it', (_, but, finding) => {
    expect(findingsOf(result(but))).toEqual([finding])
    expect(linesOf(result(but))).toContain(`offender  ${finding}`)
    expect(jsonOf(result(but))).toMatchObject({ ok: false })
    expect(statusOf(result(but))).toBe(1)
  })

  test('with something under way in the end: name how much of what', () => {
    const unrest = { ...QUIET, payments: 1, facts: 2, workflows: 1 }
    const [finding] = findingsOf(result({ unrest }))
    expect(finding).toContain('Still under way in the end: {"payments":1,')
  })
})

describe('what is said of a planted bug', () => {
  const name = 'new-number-on-retry'
  const bug = sabotages[name]
  if (bug === undefined) throw new Error('The catalogue has it.')
  const verdict = { ...CLEAN, doubled: [OFFENDER] }

  test('that was found: its offender stands in the last line, and the status is 1', () => {
    const played = { verdict, found: OFFENDER }
    const last = linesOfSabotage(name, bug, played).at(-1)
    expect(last).toBe('sabotage new-number-on-retry was found: refunded_twice, R1')
    expect(statusOfSabotage(played)).toBe(1)
    expect(jsonOfSabotage(name, bug, played)).toMatchObject({ ok: false, found: OFFENDER })
  })

  test.each([
    ['only others were named', verdict],
    ['nobody was named', CLEAN],
  ])('where %s: it was not found, and the status is 3', (_, named) => {
    const played = { verdict: named, found: undefined }
    const last = linesOfSabotage(name, bug, played).at(-1)
    expect(last).toContain('sabotage new-number-on-retry was NOT found: nobody of it was named')
    expect(statusOfSabotage(played)).toBe(3)
    expect(jsonOfSabotage(name, bug, played)).toMatchObject({ expected: bug.offence, found: null })
  })
})

import { describe, expect, test } from 'vitest'

import type { Verdict } from '../../src/chaos/books/verdict.js'
import { findingsOf, type DrillResult } from '../../src/chaos/drill.js'
import { makePlan } from '../../src/chaos/plan.js'
import { jsonOf, linesOf } from '../../src/chaos/report.js'

const CLEAN: Verdict = {
  payments: 200,
  refunds: 204,
  lost: [],
  doubled: [],
  overRefunded: [],
  stuck: [],
  other: [],
  bookSumFen: 0,
}

/** A drill that went well, but for what the test says. */
const result = (but: Partial<DrillResult> = {}): DrillResult => ({
  plan: makePlan({ payments: 3, seed: 1, profile: 'storm' }),
  verdict: CLEAN,
  driven: { payments: [], refunds: [], portalRefunds: [] },
  faults: { html_page: { planned: 2, happened: 1 } },
  restarts: 4,
  refusedRequests: 0,
  paidTooLate: 0,
  answersOfApis: [10, 12],
  notificationsOfWorkers: [1, 2],
  unrest: { payments: 0, refunds: 0, facts: 0, decisions: 0, workflows: 0 },
  surprises: [],
  seconds: 90,
  ...but,
})

const OFFENDER = { kind: 'refunded_twice', subject: 'R1', sentence: 'R1 was sent twice.' } as const

describe('the findings of a drill', () => {
  test('that went well: are none, and the verdict is the last line', () => {
    expect(findingsOf(result())).toEqual([])
    expect(linesOf(result()).at(-1)).toBe(
      'verdict: 200 payments, 204 refunds, 0 lost, 0 doubled, 0 over-refunded, 0 stuck, ' +
        'book sums to 0',
    )
    expect(jsonOf(result())).toMatchObject({ ok: true, offenders: [] })
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
  })

  test('with something under way in the end: name how much of what', () => {
    const unrest = { payments: 1, refunds: 0, facts: 2, decisions: 0, workflows: 1 }
    const [finding] = findingsOf(result({ unrest }))
    expect(finding).toContain('Still under way in the end: {"payments":1,')
  })
})

import { writeFileSync } from 'node:fs'

import type { Finding } from './finding.js'

const MARKS = {
  en: { fine: 'fine ', wrong: 'to do' },
  zh: { fine: '正常', wrong: '待办' },
} as const
const NAME_WIDTH = 12

/**
 * Says what was found, one line each, and answers the status: 1 when something is to be done.
 * @param jsonTarget a file for the findings as JSON; `-` has standard output hold nothing else
 */
export function tell(
  findings: readonly Finding[],
  language: 'en' | 'zh',
  jsonTarget: string | undefined,
): 0 | 1 {
  const facts = findings.map(({ check, isFine, words }) => {
    return { check, fine: isFine, says: words[language] }
  })
  const json = `${JSON.stringify(facts, undefined, 2)}\n`
  if (jsonTarget === '-') process.stdout.write(json)
  else {
    if (jsonTarget !== undefined) writeFileSync(jsonTarget, json)
    process.stdout.write(findings.map((finding) => lineOf(finding, language)).join(''))
  }
  return findings.every(({ isFine }) => isFine) ? 0 : 1
}

function lineOf({ check, isFine, words }: Finding, language: 'en' | 'zh'): string {
  const mark = MARKS[language][isFine ? 'fine' : 'wrong']
  return `${mark}  ${check.padEnd(NAME_WIDTH)}  ${words[language]}\n`
}

/**
 * Fills the tables of the page about the channel's error codes from the table the engine uses:
 *   node --import tsx scripts/generate-channel-docs.ts [--check]
 * With `--check` nothing is written, and the status is 1 where the page differs.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'

import { cloneRoot } from '../src/cli/local/clone.js'
import { ACCOUNT_HOLDS, type AccountHold } from '../src/domain/channel.js'
import {
  NO_ANSWERS,
  V2_CALLS,
  V2_ERROR_CODES,
  type Advice,
  type CodeMeaning,
  type OutcomeOfCall,
  type V2Call,
} from '../src/wechat/v2/error-codes.js'
import { code, fillSections, table } from './markdown.js'

const PAGE = 'docs/reference/channel-errors.md'
const file = path.join(cloneRoot, PAGE)

type Outcome = OutcomeOfCall[V2Call]

const OUTCOMES: Readonly<Record<Outcome, string>> = {
  already_paid: 'the order is paid',
  closed: 'the order is closed',
  not_exist: 'the channel knows none of this number',
  not_enough: 'not accepted: too little money',
  rate_limited: 'not accepted: too many calls',
  refused: 'the channel will not do it',
  unknown: 'nothing can be concluded',
}

const ADVICE: Readonly<Record<Advice, string>> = {
  again_now: 'same number, at once',
  again_later: 'same number, later',
  person: 'same number, once a person has changed something',
  final: 'never: this number is of no more use',
  already_done: 'no need: it is so already',
}

const RETRIES: Readonly<Record<'soon' | 'later', string>> = {
  soon: ADVICE.again_now,
  later: ADVICE.again_later,
}

const HOLDS: Readonly<Record<AccountHold, string>> = {
  credentials: 'the key, the certificate, the merchant number or the appid does not fit',
  permission: 'the merchant was not given the right to make this call',
  balance: 'the merchant has too little money at the channel',
  rate: 'the account makes too many calls',
}

/** The generated sections of the page, by the names of their marks. */
export function channelErrorSections(): Readonly<Record<string, string>> {
  return {
    holds: table(
      ['hold', 'because'],
      ACCOUNT_HOLDS.map((hold) => [code(hold), HOLDS[hold]]),
    ),
    'no-answer': table(
      ['our code', 'stands for', 'again', 'hold'],
      Object.entries(NO_ANSWERS).map(([name, meaning]) => [
        code(name),
        meaning.says,
        RETRIES[meaning.retry],
        'hold' in meaning ? code(meaning.hold) : '',
      ]),
    ),
    ...Object.fromEntries(V2_CALLS.map((call) => [call, codesOf(call)])),
  }
}

function codesOf(call: V2Call): string {
  const meanings: readonly (readonly [string, CodeMeaning<Outcome>])[] = Object.entries(
    V2_ERROR_CODES[call],
  )
  const rows = meanings
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, { says, outcome, advice, hold }]) => [
      code(name),
      says,
      `${code(outcome)}: ${OUTCOMES[outcome]}`,
      ADVICE[advice],
      hold === undefined ? '' : code(hold),
    ])
  return table(['code', 'WeChat Pay says', 'means', 'again', 'hold'], rows)
}

/** What the page should be: its own words, with the sections of today. */
export const channelErrorsPage = (): string =>
  fillSections(readFileSync(file, 'utf8'), channelErrorSections())

function main(isCheck: boolean): void {
  const text = channelErrorsPage()
  if (!isCheck) {
    writeFileSync(file, text)
    process.stdout.write(`Wrote ${PAGE}.\n`)
  } else if (readFileSync(file, 'utf8') !== text) {
    process.stderr.write(`Out of date: ${PAGE}. Run scripts/generate-channel-docs.ts.\n`)
    process.exitCode = 1
  }
}

const program = process.argv[1]
if (program !== undefined && import.meta.url === pathToFileURL(program).href) {
  main(process.argv.includes('--check'))
}

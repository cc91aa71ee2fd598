/**
 * Fills the tables of the book's reference page from the sources and from what the tests run:
 *   node --import tsx scripts/generate-book-docs.ts [--check]
 * With `--check` nothing is written, and the status is 1 where the page differs.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'

import { cloneRoot } from '../src/cli/local/clone.js'
import { LOCK_RANK } from '../src/db/transaction.js'
import { REFUND_EFFECT, REFUND_STATES } from '../src/domain/states.js'
import { CHART } from '../src/ledger/accounts.js'
import { RULE_NAMES, RULES, type Rule, type RuleTerms } from '../src/ledger/rules.js'
import { REFUSALS } from '../test/db/rights/tables/all.js'
import type { Refusal, Role } from '../test/db/support/refusals.js'
import { COSTS } from '../test/db/support/statements.js'
import { EXAMPLES } from '../test/ledger/support/examples.js'
import { code, fillSections, table } from './markdown.js'

const PAGE = 'docs/reference/book.md'
const file = path.join(cloneRoot, PAGE)

const TERMS: Readonly<Record<Rule, RuleTerms>> = RULES
const ROLES: Readonly<Record<Role, string>> = { api: 'API', worker: 'worker', owner: 'owner' }

/** The generated sections of the page, by the names of their marks. */
export function bookSections(): Readonly<Record<string, string>> {
  return {
    chart: chart(),
    rules: rules(),
    examples: examples(),
    counters: counters(),
    locks: locks(),
    costs: costs(),
    refusals: refusals(),
  }
}

const chart = (): string =>
  table(
    ['account', 'of a', 'kind', 'grows by', 'holds'],
    Object.entries(CHART).map(([name, { owner, kind, side, holds }]) => {
      return [code(name), owner, kind, side, holds]
    }),
  )

const rules = (): string =>
  table(
    ['rule', 'when', 'debit / credit', 'amount', 'cause'],
    RULE_NAMES.map((name) => {
      const { when, legs, amount, cause } = TERMS[name]
      const pairs = legs.map((pair) => pair.map(code).join(' / ')).join('; ')
      return [name, when, pairs || 'those of the entry, turned round', amount, code(cause)]
    }),
  )

const examples = (): string =>
  RULE_NAMES.map((name) => {
    const rows = EXAMPLES.filter(({ rule }) => rule === name).map(({ what, lines }) => [
      what,
      lines.map(code).join('<br>'),
    ])
    return `**${name}: ${TERMS[name].when}**\n\n${table(['what happened', 'is posted'], rows)}`
  }).join('\n\n')

const counters = (): string =>
  table(
    ['a refund that is', 'counts as'],
    REFUND_STATES.map((state) => [code(state), code(REFUND_EFFECT[state])]),
  )

function locks(): string {
  const ranks = Object.entries(LOCK_RANK).toSorted(([, one], [, two]) => one - two)
  const nodes = ranks.map(([name, rank]) => `  ${name}["${rank} ${name}"]`)
  const arrows = ranks.slice(1).map(([name], index) => `  ${ranks[index]?.[0]} --> ${name}`)
  const last = ranks.at(-1)?.[0]
  const end = `  ${last} --> inserts["only inserted: journal, events, audit log"]`
  return ['```mermaid', 'flowchart LR', ...nodes, ...arrows, end, '```'].join('\n')
}

const costs = (): string =>
  table(
    ['transaction', 'statements', 'round trips at most'],
    Object.values(COSTS).map(({ name, statements, roundTrips }) => {
      return [name, String(statements), String(roundTrips)]
    }),
  )

function refusals(): string {
  const sections = Object.entries(REFUSALS).map(([title, lines]) => {
    const rows = grouped(lines).map(([role, refusedBy, whats]) => [
      ROLES[role],
      whats.join('; '),
      refusedBy.includes(' ') ? refusedBy : code(refusedBy),
    ])
    return `#### ${title}\n\n${table(['who', 'tries what', 'refused by'], rows)}`
  })
  return sections.join('\n\n')
}

/** Lines of one role that the same thing refuses stand together. */
function grouped(lines: readonly Refusal[]): (readonly [Role, string, string[]])[] {
  const groups = new Map<string, readonly [Role, string, string[]]>()
  for (const { role, refusedBy, what } of lines) {
    const group = groups.get(`${role} ${refusedBy}`) ?? [role, refusedBy, []]
    group[2].push(what)
    groups.set(`${role} ${refusedBy}`, group)
  }
  return [...groups.values()]
}

/** What the page should be: its own words, with the sections of today. */
export const bookPage = (): string => fillSections(readFileSync(file, 'utf8'), bookSections())

function main(isCheck: boolean): void {
  const text = bookPage()
  if (!isCheck) {
    writeFileSync(file, text)
    process.stdout.write(`Wrote ${PAGE}.\n`)
  } else if (readFileSync(file, 'utf8') !== text) {
    process.stderr.write(`Out of date: ${PAGE}. Run scripts/generate-book-docs.ts.\n`)
    process.exitCode = 1
  }
}

const program = process.argv[1]
if (program !== undefined && import.meta.url === pathToFileURL(program).href) {
  main(process.argv.includes('--check'))
}

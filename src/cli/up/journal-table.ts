import { addFen, fen, formatYuan } from '../../domain/money.js'
import type { JournalLine } from '../../ledger/journal.js'
import type { TableTexts } from './texts.js'
import { columnsOf, padEnd, padStart } from './width.js'

/** The kinds of account that have a column, by what their names begin with. */
const KINDS = ['wechat', 'refunds_in_transit', 'sales', 'returns'] as const
type Column = (typeof KINDS)[number] | 'other'
const COLUMNS: readonly Column[] = [...KINDS, 'other']

const INDENT = '  '
const GAP = 3
const ZERO_YUAN = '0.00'

type Row = Readonly<Record<Column, number>>

/** What all debits less all credits make, in fen: zero for lines of a book that is right. */
export const journalSumFen = (lines: readonly JournalLine[]): number =>
  lines.map(legsOf).reduce((sumFen, row) => sumFen + rowSum(row), 0)

/**
 * Writes journal lines as a table: a line of the journal in each row, the accounts it moves money
 * between as columns, debits as plus. Each row sums to zero, and so do the balances.
 */
export function journalTable(lines: readonly JournalLine[], texts: TableTexts): string[] {
  const rows = lines.map(legsOf)
  const used = COLUMNS.filter((column) => rows.some((row) => row[column] !== 0))
  const header = [texts.rule, ...used.map((column) => headerOf(column, texts)), texts.sum]
  const body = lines.map((line) => cells(nameOf(line, texts), legsOf(line), used, ''))
  const balance = cells(texts.balance, total(rows), used, ZERO_YUAN)
  const all = [header, ...body, balance]
  const widths = header.map((_, index) =>
    Math.max(...all.map((row) => columnsOf(row[index] ?? ''))),
  )
  const ruler = widths.map((width) => '-'.repeat(width)).join(' '.repeat(GAP))
  const [first = '', ...others] = all.map((row) => INDENT + layOut(row, widths))
  const last = others.pop() ?? ''
  return [first, INDENT + ruler, ...others, INDENT + ruler, last]
}

function legsOf({ debit, credit, amountFen }: JournalLine): Row {
  const row: Record<Column, number> = {
    wechat: 0,
    refunds_in_transit: 0,
    sales: 0,
    returns: 0,
    other: 0,
  }
  row[columnOf(debit)] += amountFen
  row[columnOf(credit)] -= amountFen
  return row
}

function columnOf(account: string): Column {
  const kind = account.slice(0, account.indexOf(':'))
  return KINDS.find((known) => known === kind) ?? 'other'
}

const total = (rows: readonly Row[]): Row => {
  const sum = (column: Column): number => rows.reduce((sumFen, row) => sumFen + row[column], 0)
  return {
    wechat: sum('wechat'),
    refunds_in_transit: sum('refunds_in_transit'),
    sales: sum('sales'),
    returns: sum('returns'),
    other: sum('other'),
  }
}

const rowSum = (row: Row): number => COLUMNS.reduce((sumFen, column) => sumFen + row[column], 0)

/** @param nothing what stands for an amount of zero */
function cells(name: string, row: Row, used: readonly Column[], nothing: string): string[] {
  const amounts = used.map((column) => signedYuan(row[column], nothing))
  return [name, ...amounts, signedYuan(rowSum(row), ZERO_YUAN)]
}

/** Yuan with its sign. */
function signedYuan(amountFen: number, nothing: string): string {
  if (amountFen === 0) return nothing
  const yuan = formatYuan(addFen(fen(Math.abs(amountFen))))
  return `${amountFen > 0 ? '+' : '-'}${yuan}`
}

const layOut = (row: readonly string[], widths: readonly number[]): string =>
  row
    .map((cell, index) =>
      index === 0 ? padEnd(cell, widths[index] ?? 0) : padStart(cell, widths[index] ?? 0),
    )
    .join(' '.repeat(GAP))

function headerOf(column: Column, texts: TableTexts): string {
  const names: Readonly<Record<Column, string>> = {
    wechat: texts.wechat,
    refunds_in_transit: texts.transit,
    sales: texts.sales,
    returns: texts.returns,
    other: texts.other,
  }
  return names[column]
}

const nameOf = ({ rule }: JournalLine, texts: TableTexts): string => texts.rules[rule] ?? rule

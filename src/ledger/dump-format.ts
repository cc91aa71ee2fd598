/** How the text of an export begins and ends, and how the values of a row stand in it. */

export const EXPORT_FORMAT = 2
/** That of exports without the audit log, from before it was sealed. */
export const FORMAT_WITHOUT_AUDIT = 1
export const EXPORT_HEADER = '-- Yuanlu ledger export, format '
export const EXPORT_TAKEN_AT = '-- Taken at '
export const EXPORT_END = '-- End of the Yuanlu ledger export.'

export const PG_DUMP_HEADER = '-- PostgreSQL database dump'
export const PG_DUMP_END = '-- PostgreSQL database dump complete'

/** What ends the rows of a table. */
export const ROWS_END = '\\.'

const NULL = '\\N'
const ESCAPES: Readonly<Record<string, string>> = {
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
}
const LETTERS: ReadonlyMap<string, string> = new Map(
  Object.entries(ESCAPES).map(([letter, character]) => [character, letter]),
)

/** A row as COPY writes it, without the end of the line. */
export const copyLine = (row: readonly (string | null)[]): string =>
  row.map((value) => (value === null ? NULL : escaped(value))).join('\t')

const escaped = (value: string): string =>
  value.replaceAll(/[\\\b\f\n\r\t\v]/g, (character) => `\\${LETTERS.get(character) ?? '\\'}`)

/** The values of a row that COPY has written. */
export const copyRow = (line: string): (string | null)[] =>
  line.split('\t').map((value) => (value === NULL ? null : unescaped(value)))

const unescaped = (value: string): string =>
  value.includes('\\')
    ? value.replaceAll(/\\(.)/gs, (_, letter: string) => ESCAPES[letter] ?? letter)
    : value

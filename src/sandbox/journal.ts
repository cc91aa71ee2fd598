import {
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  renameSync,
  writeFileSync,
  writeSync,
} from 'node:fs'

/** One line of the journal: the newest value of one thing. */
export interface JournalLine {
  readonly kind: string
  readonly value: unknown
}

/** Where the book writes what changed, in order. */
export interface Journal {
  append(kind: string, value: unknown): void
  close(): void
}

/** For a sandbox without a data directory: nothing outlives the process. */
export const noJournal: Journal = { append: () => undefined, close: () => undefined }

/**
 * An append-only file of JSON lines. A line is with the system before anybody is answered, so that
 * a killed sandbox still knows whatever it has told.
 */
export class FileJournal implements Journal {
  readonly #file: number
  #isClosed = false

  constructor(path: string) {
    this.#file = openSync(path, 'a', 0o600)
  }

  /** What comes after the end, such as a call cut off by it, is not written. */
  append(kind: string, value: unknown): void {
    if (!this.#isClosed) writeSync(this.#file, `${JSON.stringify({ kind, value })}\n`)
  }

  close(): void {
    this.#isClosed = true
    closeSync(this.#file)
  }
}

/** The lines of a journal; a last line that was cut off by a crash is left out. */
export function readJournal(path: string): JournalLine[] {
  if (!existsSync(path)) return []
  const text = readFileSync(path, 'utf8')
  const whole = text.slice(0, text.lastIndexOf('\n') + 1)
  return whole
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as JournalLine)
}

/** Replaces a journal by the lines that still matter, in one step. */
export function rewriteJournal(path: string, lines: Iterable<JournalLine>): void {
  let text = ''
  for (const line of lines) text += `${JSON.stringify(line)}\n`
  writeFileSync(`${path}.new`, text, { mode: 0o600 })
  renameSync(`${path}.new`, path)
}

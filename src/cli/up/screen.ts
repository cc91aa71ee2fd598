import type { WriteStream } from 'node:tty'

import { columnsOf } from './width.js'

const ESCAPE = '\u001b['
/** Clears the footer's line and goes up to the empty one above it. */
const CLEAR_FOOTER = `\r${ESCAPE}2K${ESCAPE}1A`
const COLUMNS_USUAL = 100

/** Where people read: lines, and below them a footer that stays where it is. */
export class Screen {
  readonly isTerminal: boolean
  readonly #stream: WriteStream
  readonly #hasColour: boolean
  #footer = ''

  constructor(stream: WriteStream, hasColour: boolean) {
    this.#stream = stream
    this.isTerminal = stream.isTTY
    this.#hasColour = hasColour && stream.isTTY
  }

  /** Prints lines above the footer. */
  print(...lines: readonly string[]): void {
    const text = lines.map((line) => `${line}\n`).join('')
    if (this.#footer === '') this.#stream.write(text)
    else this.#stream.write(`${CLEAR_FOOTER}${text}\n${this.#footer}`)
  }

  /** Shows a last line, set off by an empty one, from now on; `''` removes it. */
  setFooter(text: string): void {
    if (!this.isTerminal) return
    if (this.#footer !== '') this.#stream.write(CLEAR_FOOTER)
    this.#footer = text === '' ? '' : this.dim(this.#cut(text))
    if (this.#footer !== '') this.#stream.write(`\n${this.#footer}`)
  }

  bold(text: string): string {
    return this.#style(text, 1, 22)
  }

  dim(text: string): string {
    return this.#style(text, 2, 22)
  }

  green(text: string): string {
    return this.#style(text, 32, 39)
  }

  red(text: string): string {
    return this.#style(text, 31, 39)
  }

  #style(text: string, on: number, off: number): string {
    return this.#hasColour ? `${ESCAPE}${on}m${text}${ESCAPE}${off}m` : text
  }

  /** A footer that wraps could not be cleared any more. */
  #cut(text: string): string {
    const columnsMax = (this.#stream.columns || COLUMNS_USUAL) - 1
    let cut = text
    while (columnsOf(cut) > columnsMax) cut = cut.slice(0, -1)
    return cut
  }
}

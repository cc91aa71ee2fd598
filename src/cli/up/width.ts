/** East Asian wide and full-width characters take two columns of a terminal. */
const LETTERS = '\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff'
const SIGNS = '\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6'
const WIDE = new RegExp(`[${LETTERS}${SIGNS}]`, 'u')

/** How many columns a text takes on a terminal. */
export function columnsOf(text: string): number {
  let columns = 0
  for (const character of text) columns += WIDE.test(character) ? 2 : 1
  return columns
}

/** Fills a text with blanks behind it to a number of columns. */
export const padEnd = (text: string, columns: number): string =>
  text + ' '.repeat(Math.max(0, columns - columnsOf(text)))

/** Fills a text with blanks before it to a number of columns. */
export const padStart = (text: string, columns: number): string =>
  ' '.repeat(Math.max(0, columns - columnsOf(text))) + text

/** What the generators of the documentation share. */

export const code = (text: string): string => `\`${text}\``

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

/**
 * Puts each section between its marks, `<!-- begin NAME -->` and `<!-- end NAME -->`.
 * @throws Error for a mark that is not there, and for one that nobody fills
 */
export function fillSections(page: string, sections: Readonly<Record<string, string>>): string {
  const marked = [...page.matchAll(/^<!-- begin (\S+) -->$/gm)].map(([, name = '']) => name)
  const unknown = marked.filter((name) => !(name in sections))
  if (unknown.length > 0) throw new Error(`Nothing is generated for ${unknown.join(', ')}.`)
  let filled = page
  for (const [name, text] of Object.entries(sections)) {
    const [begin, end] = [`<!-- begin ${name} -->\n`, `<!-- end ${name} -->`]
    const [from, to] = [filled.indexOf(begin), filled.indexOf(end)]
    if (from < 0 || to < from) throw new Error(`The page has no marks for ${name}.`)
    filled = `${filled.slice(0, from + begin.length)}\n${text}\n\n${filled.slice(to)}`
  }
  return filled
}

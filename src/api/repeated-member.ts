/** One object or array that is being read. */
interface Level {
  /** The names of an object so far; an array has none. */
  readonly names: Set<string> | undefined
  /** The member or element that is read now; undefined where a name comes next. */
  at: string | number | undefined
}

/**
 * The path of the first member that an object of this JSON has twice, if there is one. A parser
 * keeps the last of them without a word, while whoever checked the text before may have read the
 * first. Looks at each character once.
 * @param json text that is known to be JSON
 */
export function repeatedMember(json: string): readonly string[] | undefined {
  const levels: Level[] = []
  for (let at = 0; at < json.length; at += 1) {
    const level = levels.at(-1)
    switch (json[at]) {
      case '{':
        levels.push({ names: new Set(), at: undefined })
        break
      case '[':
        levels.push({ names: undefined, at: 0 })
        break
      case '}':
      case ']':
        levels.pop()
        break
      case ',':
        if (level !== undefined) level.at = typeof level.at === 'number' ? level.at + 1 : undefined
        break
      case '"': {
        const end = endOfText(json, at)
        if (level?.names !== undefined && level.at === undefined) {
          level.at = JSON.parse(json.slice(at, end + 1)) as string
          if (level.names.has(level.at)) return levels.map((each) => String(each.at))
          level.names.add(level.at)
        }
        at = end
        break
      }
      default:
    }
  }
  return undefined
}

/** Where the quotation mark stands that closes the one at `start`. */
function endOfText(json: string, start: number): number {
  let end = start + 1
  while (end < json.length && json[end] !== '"') end += json[end] === '\\' ? 2 : 1
  return end
}

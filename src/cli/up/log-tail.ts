const LINES = 8
const WIDTH = 96

/** The last lines of a log, each cut to the width of a terminal. */
export function lastLines(log: string): string[] {
  const lines = log.trimEnd().split('\n').slice(-LINES)
  return lines.map((line) => (line.length > WIDTH ? `${line.slice(0, WIDTH - 3)}...` : line))
}

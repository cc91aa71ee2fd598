const BAR_CHARACTERS = 30
const PERCENT = 100

/**
 * A bar on the terminal of a person who waits; a log file gets none.
 *
 * @returns what takes how much is done, from 0 to 1, and draws it when it has moved
 */
export function createProgressBar(what: string): (done: number) => void {
  let drawn = -1
  return (done) => {
    const percent = Math.min(PERCENT, Math.floor(done * PERCENT))
    if (!process.stderr.isTTY || percent <= drawn) return
    drawn = percent
    const filled = Math.floor((percent * BAR_CHARACTERS) / PERCENT)
    const bar = `${'█'.repeat(filled)}${'░'.repeat(BAR_CHARACTERS - filled)}`
    process.stderr.write(`\r${what} ${bar} ${percent} %${percent === PERCENT ? '\n' : ''}`)
  }
}

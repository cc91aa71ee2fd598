/** Prints one line of what the bootstrap does; standard output stays free for the program. */
export function say(line) {
  process.stderr.write(`bootstrap: ${line}\n`)
}

/** Says that something still goes on, every five seconds, until the returned function is called. */
export function sayWhileWaiting(what) {
  const startedAtMs = Date.now()
  const timer = setInterval(() => {
    const seconds = Math.round((Date.now() - startedAtMs) / 1000)
    say(`${what}: still at it after ${seconds} s`)
  }, 5_000)
  return () => clearInterval(timer)
}

/** Writes a size for people: `45 MB`. */
export function formatMegabytes(bytes) {
  return `${Math.round(bytes / 1_000_000)} MB`
}

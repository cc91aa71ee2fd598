import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'

const LOOPBACK = '127.0.0.1'
const PORT_MAX = 65_535

/**
 * Below what systems hand out by themselves: a port that is to be listened on in a moment must not
 * be given to a connection meanwhile, nor to a server that takes any.
 */
const PORT_FIRST = 10_000
const PORT_BEHIND = 32_000
const TRIES_MAX = 100

/**
 * Answers some TCP port of the loopback address that nobody listens on just now.
 *
 * @throws Error when none was found.
 */
export async function findFreePort(): Promise<number> {
  for (let tries = 0; tries < TRIES_MAX; tries += 1) {
    const port = randomInt(PORT_FIRST, PORT_BEHIND)
    if (await isPortFree(port)) return port
  }
  throw new Error(`No free port found between ${PORT_FIRST} and ${PORT_BEHIND}.`)
}

/**
 * Answers the first free port at or above `portWanted`, trying at most `attemptsMax` of them.
 *
 * @throws Error when every port of the range is taken.
 */
export async function findFreePortFrom(portWanted: number, attemptsMax = 100): Promise<number> {
  const portLast = Math.min(portWanted + attemptsMax - 1, PORT_MAX)
  for (let port = portWanted; port <= portLast; port += 1) {
    if (await isPortFree(port)) return port
  }
  throw new Error(`No free port between ${portWanted} and ${portLast}.`)
}

/** Tells whether a server could listen on this loopback port now. */
export async function isPortFree(port: number): Promise<boolean> {
  try {
    await listenOnce(port)
    return true
  } catch {
    return false
  }
}

function listenOnce(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen({ host: LOOPBACK, port, exclusive: true }, () => {
      server.close(() => resolve())
    })
  })
}

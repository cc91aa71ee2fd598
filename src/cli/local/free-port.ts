import { createServer } from 'node:net'

const LOOPBACK = '127.0.0.1'
const PORT_MAX = 65_535

/** Asks the system for a TCP port of the loopback address that nobody listens on just now. */
export function findFreePort(): Promise<number> {
  return listenOnce(0)
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

function listenOnce(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen({ host: LOOPBACK, port, exclusive: true }, () => {
      const address = server.address()
      server.close(() => {
        if (address !== null && typeof address === 'object') resolve(address.port)
        else reject(new Error('The system gave no port.'))
      })
    })
  })
}

import type { Socket } from 'node:net'
import type { ApiServer } from '../server-type.js'

/** Longer than any call takes; what is still open then is cut off. */
const CLOSING_TIMEOUT_MS = 10_000

/**
 * Lets a server close as soon as the calls under way have been answered. Node closes what is idle
 * when closing begins; a connection that is answered later is kept for the next call, and one that
 * has sent nothing yet is given a minute.
 */
export function installClosing(app: ApiServer): void {
  const open = new Map<Socket, number>()
  let isClosing = false
  const count = (socket: Socket, change: 1 | -1): void => {
    const calls = (open.get(socket) ?? 0) + change
    open.set(socket, calls)
    // What was written is sent before.
    if (isClosing && calls === 0) socket.destroySoon()
  }
  app.server.on('connection', (socket: Socket) => {
    open.set(socket, 0)
    socket.once('close', () => open.delete(socket))
  })
  app.server.on('request', ({ socket }, response) => {
    count(socket, 1)
    response.once('close', () => {
      if (open.has(socket)) count(socket, -1)
    })
  })
  app.addHook('preClose', (done) => {
    isClosing = true
    for (const [socket, calls] of open) if (calls === 0) socket.destroySoon()
    const overdue = setTimeout(() => app.server.closeAllConnections(), CLOSING_TIMEOUT_MS)
    app.server.once('close', () => clearTimeout(overdue))
    overdue.unref()
    done()
  })
}

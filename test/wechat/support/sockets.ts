import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'

/** Something that listens on this machine and is no proper server. */
export interface BadPeer {
  readonly baseUrl: string
  /** How many connections were taken. */
  accepted(): number
  close(): Promise<void>
}

/** Takes every connection and says nothing, not even the beginning of TLS. */
export async function startSilentPeer(): Promise<BadPeer> {
  const sockets: Socket[] = []
  const server = createServer((socket) => {
    sockets.push(socket.on('error', () => undefined))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    baseUrl: urlOf((server.address() as AddressInfo).port),
    accepted: () => sockets.length,
    close: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

const NEVER_ACCEPTS = `
const { createServer } = require('node:net')
const { parentPort } = require('node:worker_threads')
const server = createServer()
server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
  parentPort.postMessage(server.address().port)
  setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0))
})
`
const FILLERS_MAX = 64
const FILLED_AFTER_MS = 150

/**
 * Listens and never accepts: its thread sleeps, and what the kernel takes in its place is filled
 * up, so that the next connection hangs before it stands.
 */
export async function startDeafPeer(): Promise<BadPeer> {
  const worker = new Worker(NEVER_ACCEPTS, { eval: true })
  const [port] = (await once(worker, 'message')) as [number]
  const fillers: Socket[] = []
  let isFull = false
  while (!isFull) {
    if (fillers.length === FILLERS_MAX) throw new Error('This kernel never stops accepting.')
    const socket = connect(port, '127.0.0.1').on('error', () => undefined)
    fillers.push(socket)
    const stands = once(socket, 'connect').then(() => false)
    isFull = await Promise.race([stands, sleep(FILLED_AFTER_MS, true)])
  }
  return {
    baseUrl: urlOf(port),
    accepted: () => 0,
    close: async () => {
      for (const socket of fillers) socket.destroy()
      await worker.terminate()
    },
  }
}

/** An address where nobody listens (any more). */
export async function refusingUrl(): Promise<string> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return urlOf(port)
}

const urlOf = (port: number): string => `https://127.0.0.1:${port}`

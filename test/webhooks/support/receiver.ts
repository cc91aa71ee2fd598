import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'

export interface ReceivedMessage {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export type Answer = (message: ReceivedMessage, response: ServerResponse) => void

export interface Receiver {
  readonly port: number
  readonly received: ReceivedMessage[]
  /** What the next messages are answered. */
  answer: Answer
  close(): Promise<void>
}

export interface ReceiverOptions {
  readonly host?: string
  readonly port?: number
  readonly tls?: { readonly cert: string; readonly key: string }
}

export const status =
  (code: number, headers: Readonly<Record<string, string>> = {}): Answer =>
  (_message, response) =>
    void response.writeHead(code, headers).end()

/** A merchant's server: remembers what it is told and answers as the test wants. */
export async function startReceiver(options: ReceiverOptions = {}): Promise<Receiver> {
  const { host = '127.0.0.1', port = 0, tls } = options
  const server: Server = tls === undefined ? createServer() : createTlsServer(tls)
  const receiver = { port: 0, received: [] as ReceivedMessage[], answer: status(204) }
  server.on('request', (request, response) => {
    const chunks: Buffer[] = []
    // A sender that stops reading is what some tests are about.
    response.on('error', () => undefined)
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString('utf8')
      const message = { path: request.url ?? '', headers: request.headers, body }
      receiver.received.push(message)
      receiver.answer(message, response)
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, host, resolve)
  })
  receiver.port = (server.address() as AddressInfo).port
  return Object.assign(receiver, {
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  })
}

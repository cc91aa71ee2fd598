import { createServer } from 'node:https'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TLSSocket } from 'node:tls'

import {
  issueMerchantCertificate,
  issueServerCertificate,
  makeAuthority,
} from '../../../src/sandbox/authority.js'
import type { KeyAndCertificate } from '../../../src/sandbox/authority.js'

export interface TestPki {
  readonly ca: KeyAndCertificate
  readonly server: KeyAndCertificate
  readonly merchant: KeyAndCertificate
}

/** An authority with a certificate for this machine and one for a merchant. */
export async function makePki(mchId: string): Promise<TestPki> {
  const ca = await makeAuthority()
  const [server, merchant] = await Promise.all([
    issueServerCertificate(ca, ['localhost', '127.0.0.1']),
    issueMerchantCertificate(ca, mchId),
  ])
  return { ca, server, merchant }
}

export interface Received {
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
  /** Whether the client showed a certificate of the authority, and which. */
  readonly authorized: boolean
  readonly clientSerial: string | undefined
}

export type Reply = (received: Received, response: ServerResponse) => void

export interface TestServer {
  readonly baseUrl: string
  readonly received: Received[]
  /** What the next calls are answered with. */
  reply: Reply
  close(): Promise<void>
}

/** An HTTPS server that asks for a client certificate and leaves the answer to the test. */
export async function startServer(pki: TestPki): Promise<TestServer> {
  const server = createServer({
    cert: pki.server.certPem,
    key: pki.server.keyPem,
    ca: pki.ca.certPem,
    requestCert: true,
    rejectUnauthorized: false,
  })
  const running: TestServer = {
    baseUrl: '',
    received: [],
    reply: (_, response) => response.end('<xml/>'),
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    void receive(request).then((received) => {
      running.received.push(received)
      running.reply(received, response)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return Object.assign(running, { baseUrl: `https://127.0.0.1:${port}` })
}

async function receive(request: IncomingMessage): Promise<Received> {
  const socket = request.socket as TLSSocket
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return {
    path: request.url ?? '',
    headers: request.headers,
    body: Buffer.concat(chunks).toString('utf8'),
    authorized: socket.authorized,
    clientSerial: socket.getPeerCertificate().serialNumber,
  }
}

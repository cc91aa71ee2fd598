import { createServer as createHttpServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { KeyAndCertificate } from './authority.js'
import type { V2CallName } from './call-names.js'
import { answerCashier } from './cashier.js'
import { answerControl } from './control.js'
import { answerPortal } from './portal.js'
import { answerV2 } from './v2.js'
import type { World } from './world.js'

const V2_PATHS: Readonly<Record<string, V2CallName>> = {
  '/pay/unifiedorder': 'unifiedorder',
  '/pay/orderquery': 'orderquery',
  '/pay/closeorder': 'closeorder',
  '/secapi/pay/refund': 'refund',
  '/pay/refundquery': 'refundquery',
}

/** What browsers say of a request that the page itself or a person's hand has sent. */
const SAME_SITES: readonly unknown[] = ['same-origin', 'none']
const BODY_BYTES_MAX = 256 * 1024
const KEEP_ALIVE_MS = 65_000
const NOT_FOUND_PAGE =
  '<html><head><title>404 Not Found</title></head>' +
  '<body><center><h1>404 Not Found</h1></center><hr></body></html>'

interface Received {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly body: Buffer
  readonly isCrossSite: boolean
}

class BodyTooLongError extends Error {
  override readonly name = 'BodyTooLongError'
}

/** A listening server and how to end it. */
export interface Listening {
  readonly port: number
  close(): Promise<void>
}

export interface ListenOptions {
  readonly host: string
  /** 0 takes any free port. */
  readonly port: number
}

/**
 * Serves everything over HTTPS. Each connection is asked for a client certificate and none is
 * refused for lacking one: which call needs it is for the call to say.
 */
export function listenHttps(
  world: World,
  identity: KeyAndCertificate,
  options: ListenOptions,
): Promise<Listening> {
  const server = createHttpsServer({
    cert: identity.certPem,
    key: identity.keyPem,
    ca: world.caPem,
    requestCert: true,
    // As at WeChat Pay, who shows no certificate may call all but /secapi, which checks it itself.
    rejectUnauthorized: false,
  })
  return listen(server, world, answerAny, options)
}

/** Serves the cashier page alone, in plain HTTP, for a phone that does not know our authority. */
export function listenCashier(world: World, options: ListenOptions): Promise<Listening> {
  return listen(createHttpServer(), world, answerCashierOnly, options)
}

/** Serves cashier and portal in plain HTTP, for a browser on this machine. */
export function listenPages(world: World, options: ListenOptions): Promise<Listening> {
  return listen(createHttpServer(), world, answerPages, options)
}

type Answer = (request: IncomingMessage, response: ServerResponse, world: World) => Promise<void>

async function listen(
  server: Server,
  world: World,
  answer: Answer,
  options: ListenOptions,
): Promise<Listening> {
  server.keepAliveTimeout = KEEP_ALIVE_MS
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    answer(request, response, world).catch((error: unknown) => {
      handleFailure(error, response, world)
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, options.host, resolve)
  })
  server.on('error', (error) => world.reportError(error))
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function answerAny(
  request: IncomingMessage,
  response: ServerResponse,
  world: World,
): Promise<void> {
  const received = await receive(request)
  const call = Object.hasOwn(V2_PATHS, received.path) ? V2_PATHS[received.path] : undefined
  if (call) return sendV2(call, received, request, response, world)
  if (received.path.startsWith('/_control/')) {
    const reply = await answerControl(received, world)
    const headers = { 'content-type': 'application/json; charset=utf-8' }
    return send(response, reply.status, headers, JSON.stringify(reply.value))
  }
  return sendPage(received, response, world)
}

async function answerPages(
  request: IncomingMessage,
  response: ServerResponse,
  world: World,
): Promise<void> {
  return sendPage(await receive(request), response, world)
}

function sendPage(received: Received, response: ServerResponse, world: World): void {
  const isPortal = received.path === '/portal' || received.path.startsWith('/portal/')
  if (!isPortal) return sendCashier(received, response, world)
  const reply = answerPortal(received, world)
  return send(response, reply.status, reply.headers, reply.text)
}

async function answerCashierOnly(
  request: IncomingMessage,
  response: ServerResponse,
  world: World,
): Promise<void> {
  return sendCashier(await receive(request), response, world)
}

function sendCashier(received: Received, response: ServerResponse, world: World): void {
  if (!received.path.startsWith('/cashier/')) {
    return send(response, 404, { 'content-type': 'text/html; charset=utf-8' }, NOT_FOUND_PAGE)
  }
  const reply = answerCashier(received, world)
  return send(response, reply.status, reply.headers, reply.text)
}

async function sendV2(
  call: V2CallName,
  received: Received,
  request: IncomingMessage,
  response: ServerResponse,
  world: World,
): Promise<void> {
  const { method, body } = received
  const clientCertSerial = clientCertSerialOf(request)
  const reply = await answerV2({ call, method, body, clientCertSerial }, world)
  if (reply.kind === 'document') {
    const sendWay = reply.isCut ? sendHalf : send
    return sendWay(response, reply.status, { 'content-type': reply.type }, reply.text)
  }
  if (reply.ms === 'for_good') return
  const timer = setTimeout(() => request.socket.destroy(), reply.ms)
  request.socket.once('close', () => clearTimeout(timer))
}

/** The serial number of a certificate that our own authority has signed. */
function clientCertSerialOf(request: IncomingMessage): string | null {
  const { socket } = request
  if (!(socket instanceof TLSSocket) || !socket.authorized) return null
  return socket.getPeerCertificate().serialNumber ?? null
}

async function receive(request: IncomingMessage): Promise<Received> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > BODY_BYTES_MAX) throw new BodyTooLongError()
    chunks.push(chunk)
  }
  const [path = '/', query = ''] = (request.url ?? '/').split('?', 2)
  return {
    method: request.method ?? 'GET',
    path,
    query: new URLSearchParams(query),
    body: Buffer.concat(chunks),
    isCrossSite: !SAME_SITES.includes(request.headers['sec-fetch-site'] ?? 'none'),
  }
}

function send(
  response: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string>>,
  text: string,
): void {
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(text) })
  response.end(text)
}

/** Announces the whole answer, sends the first half of its bytes, and breaks the connection. */
function sendHalf(
  response: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string>>,
  text: string,
): void {
  const bytes = Buffer.from(text)
  response.writeHead(status, { ...headers, 'content-length': bytes.length })
  response.write(bytes.subarray(0, Math.floor(bytes.length / 2)), () => {
    response.socket?.end(() => response.socket?.destroy())
  })
}

function handleFailure(error: unknown, response: ServerResponse, world: World): void {
  if (response.headersSent || response.destroyed) return
  const isTooLong = error instanceof BodyTooLongError
  if (!isTooLong) world.reportError(error)
  response.setHeader('connection', 'close')
  send(response, isTooLong ? 413 : 500, { 'content-type': 'text/plain' }, '')
}

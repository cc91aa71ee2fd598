import type { LookupAddress } from 'node:dns'
import { lookup } from 'node:dns/promises'
import { request as requestHttp, type ClientRequest, type IncomingMessage } from 'node:http'
import { request as requestHttps } from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import type { SendError, SendResult } from '../domain/webhook.js'
import { isPublicAddress } from './addresses.js'
import { targetOf, type AllowedHosts, type Target } from './target.js'

const TIMEOUT_MS = 10_000
/** How much of an answer is read before the connection is closed, and how much is kept. */
const ANSWER_READ_BYTES_MAX = 64 * 1024
const ANSWER_KEPT_BYTES_MAX = 1_024

export interface EgressOptions {
  readonly allowedHosts?: AllowedHosts
  readonly timeoutMs?: number
  /** Asked once for each message. */
  readonly resolve?: (host: string) => Promise<readonly LookupAddress[]>
  /** Which addresses may be connected to. */
  readonly isPublic?: (address: string) => boolean
  /** Where servers of the internet may listen: 443 and 8443 unless given. */
  readonly ports?: ReadonlySet<number>
  /** An authority to trust instead of the system's, in PEM. */
  readonly ca?: string
}

export interface Message {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** Posts a message to an address that a user entered; it never throws. */
export type Egress = (message: Message) => Promise<SendResult>

/**
 * The one way out to addresses that users enter. A name is resolved once, every address it has is
 * checked, and the connection goes to a checked address, so that a name which changes its mind
 * meanwhile leads nowhere else. Redirects are answers like any other: nobody follows them.
 */
export function createEgress(options: EgressOptions = {}): Egress {
  const { allowedHosts = [], timeoutMs = TIMEOUT_MS } = options
  const { resolve = resolveAll, isPublic = isPublicAddress } = options

  return async function post(message) {
    const target = targetOf(message.url, allowedHosts, options.ports)
    if (target === 'not_public') return failed('address_refused')
    if (typeof target === 'string') return failed('url_refused')
    const signal = AbortSignal.timeout(timeoutMs)
    const addresses = await inTime(addressesOf(target, resolve), signal)
    if (typeof addresses === 'string') return failed(addresses)
    if (addresses.length === 0) return failed('dns')
    const isChecked = target.allowed || addresses.every(({ address }) => isPublic(address))
    if (!isChecked) return failed('address_refused')
    return send(message, { target, addresses, signal, ca: options.ca })
  }
}

const failed = (error: SendError): SendResult => ({ kind: 'failed', error })

const resolveAll = (host: string): Promise<LookupAddress[]> => lookup(host, { all: true })

type Resolved = readonly LookupAddress[] | 'dns' | 'timeout'

async function addressesOf(
  { host }: Target,
  resolve: NonNullable<EgressOptions['resolve']>,
): Promise<Resolved> {
  const family = isIP(host)
  if (family !== 0) return [{ address: host, family }]
  return resolve(host).catch(() => 'dns')
}

async function inTime(resolved: Promise<Resolved>, signal: AbortSignal): Promise<Resolved> {
  const late = new Promise<'timeout'>((settle) => {
    signal.addEventListener('abort', () => settle('timeout'), { once: true })
  })
  return Promise.race([resolved, late])
}

interface Route {
  readonly target: Target
  readonly addresses: readonly LookupAddress[]
  readonly signal: AbortSignal
  readonly ca: string | undefined
}

function send(message: Message, route: Route): Promise<SendResult> {
  return new Promise((resolve) => {
    const request = open(message, route)
    request.once('response', (response) => {
      resolve(read(response))
    })
    // An answer that has begun is judged by its status, whatever becomes of the rest of it.
    request.on('error', (error) => resolve(failed(errorOf(error, route.signal))))
    // Of a receiver that switches to another protocol Node tells nothing but the end.
    request.once('close', () => resolve(failed('connection_closed')))
    request.end(message.body)
  })
}

function open({ headers, body }: Message, { target, addresses, signal, ca }: Route): ClientRequest {
  const { url, host } = target
  const request = url.protocol === 'https:' ? requestHttps : requestHttp
  return request({
    method: 'POST',
    hostname: host,
    port: url.port === '' ? undefined : Number(url.port),
    path: url.pathname + url.search,
    headers: { ...headers, 'content-length': Buffer.byteLength(body) },
    // A connection of its own: one that is kept would outlive the check of its address.
    agent: false,
    lookup: checkedAddresses(addresses),
    signal,
    ...(ca === undefined ? {} : { ca }),
  })
}

/** Stands in for the resolver, so that only checked addresses are connected to. */
const checkedAddresses =
  (addresses: readonly LookupAddress[]): LookupFunction =>
  (_host, { all }, done) => {
    const [first] = addresses
    if (all === true) done(null, [...addresses])
    else done(null, first?.address ?? '', first?.family)
  }

/** The answer with the beginning of its body, which is read for no longer than the limits allow. */
async function read(response: IncomingMessage): Promise<SendResult> {
  const kept: Buffer[] = []
  let bytes = 0
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      if (bytes < ANSWER_KEPT_BYTES_MAX) kept.push(chunk)
      bytes += chunk.length
      if (bytes > ANSWER_READ_BYTES_MAX) break
    }
  } catch {
    // Too slow, or cut off: the status says what the receiver made of the event.
  }
  response.destroy()
  const { 'retry-after': retryAfter } = response.headers
  return {
    kind: 'answered',
    status: response.statusCode ?? 0,
    answer: Buffer.concat(kept).subarray(0, ANSWER_KEPT_BYTES_MAX),
    ...(retryAfter === undefined ? {} : { retryAfter }),
  }
}

const CONNECT_CODES = /^(ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL|ETIMEDOUT)$/
const CLOSED_CODES = /^(ECONNRESET|EPIPE|HPE_.+)$/

function errorOf(error: Error, signal: AbortSignal): SendError {
  if (signal.aborted) return 'timeout'
  const code = 'code' in error ? String(error.code) : ''
  if (CONNECT_CODES.test(code)) return 'connect'
  if (CLOSED_CODES.test(code)) return 'connection_closed'
  // What is left are the many codes of a certificate or a handshake that is wrong.
  return /CERT|TLS|SSL|SIGNATURE|ISSUER|EPROTO/.test(code) ? 'tls' : 'connection_closed'
}

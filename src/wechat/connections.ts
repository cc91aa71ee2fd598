import { Pool, ProxyAgent } from 'undici'
import type { Dispatcher } from 'undici'

export interface ConnectionOptions {
  /** Authorities to trust instead of the system's, as PEM. TLS is verified in any case. */
  readonly ca?: string
  /** The merchant's API certificate, shown to the server when it asks (`/secapi/`). */
  readonly clientCertificate?: { readonly certPem: string; readonly keyPem: string }
  /**
   * Where calls go through, as `http://user:password@host:port`. TLS reaches through the proxy to
   * the channel, so it carries the merchant's certificate and the proxy sees no content.
   */
  readonly proxyUrl?: string
  /** How long a connection may take until TLS stands. */
  readonly connectMs: number
  /** The most connections at a time; further calls queue within their connect time-out. */
  readonly connections: number
}

/** The connections to one host. */
export interface Connections {
  post(path: string, body: string, handler: Dispatcher.DispatchHandler): void
  /** Lets running calls end, then closes every connection. */
  close(): Promise<void>
}

/** @throws TypeError when the base URL is not https. */
export function createConnections(baseUrl: string, options: ConnectionOptions): Connections {
  const { origin, protocol, pathname } = new URL(baseUrl)
  if (protocol !== 'https:') throw new TypeError('The address of WeChat Pay must be https.')
  const prefix = pathname.replace(/\/+$/, '')
  const dispatcher = createDispatcher(origin, options)
  return {
    post(path, body, handler) {
      dispatcher.dispatch({ origin, ...requestOf(`${prefix}${path}`, body) }, handler)
    },
    close: () => dispatcher.close(),
  }
}

function createDispatcher(origin: string, options: ConnectionOptions): Dispatcher {
  const { proxyUrl, connections, connectMs } = options
  const connect = tlsOf(options)
  if (proxyUrl === undefined) return new Pool(origin, { ...OWN_TIMES, connections, connect })
  return new ProxyAgent({
    ...OWN_TIMES,
    uri: proxyUrl,
    connections,
    requestTls: connect,
    proxyTls: { timeout: connectMs, rejectUnauthorized: true },
    // A proxy that takes a connection and stays silent must not keep it.
    clientFactory: (proxy, tunnel) => new Pool(proxy, { ...tunnel, headersTimeout: connectMs }),
  })
}

/** Each call keeps its own time, because the calls of one host differ in urgency. */
const OWN_TIMES = { headersTimeout: 0, bodyTimeout: 0 } as const

function tlsOf({ ca, clientCertificate, connectMs }: ConnectionOptions) {
  return {
    timeout: connectMs,
    rejectUnauthorized: true,
    minVersion: 'TLSv1.2',
    ...(ca === undefined ? {} : { ca }),
    ...(clientCertificate === undefined
      ? {}
      : { cert: clientCertificate.certPem, key: clientCertificate.keyPem }),
  } as const
}

function requestOf(path: string, body: string): Omit<Dispatcher.DispatchOptions, 'origin'> {
  return {
    path,
    method: 'POST',
    headers: { 'content-type': 'text/xml; charset=utf-8', accept: 'text/xml' },
    body,
  }
}

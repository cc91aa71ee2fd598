import type { Dispatcher } from 'undici'

import { createConnections } from './connections.js'
import type { ConnectionOptions, Connections } from './connections.js'
import { createHosts } from './hosts.js'

/** How long a call may take: until its bytes go out, and from then until its answer is complete. */
export interface CallTimeouts {
  readonly connectMs: number
  readonly answerMs: number
}

export interface WeChatTimeouts {
  /** Where a buyer waits for the answer. */
  readonly waiting: CallTimeouts
  readonly background: CallTimeouts
}

export const DEFAULT_TIMEOUTS: WeChatTimeouts = {
  waiting: { connectMs: 5_000, answerMs: 15_000 },
  background: { connectMs: 20_000, answerMs: 40_000 },
}

const CONNECTIONS_DEFAULT = 64

/** The client's own ceiling; a reader may want less. */
const ANSWER_BYTES_MAX = 256 * 1024

export interface WeChatClientOptions extends Pick<
  ConnectionOptions,
  'ca' | 'clientCertificate' | 'proxyUrl'
> {
  /** Scheme, host and port, such as `https://api.mch.weixin.qq.com`. */
  readonly baseUrl: string
  /** Another site of the same channel, for calls that found no connection to the first. */
  readonly backupUrl?: string
  readonly timeouts?: WeChatTimeouts
  readonly connections?: number
  readonly answerBytesMax?: number
}

export type TransportFailureCode =
  | 'connect_timeout'
  | 'answer_timeout'
  | 'answer_too_large'
  | 'aborted'
  | 'tls_error'
  | 'network_error'

/** No whole answer came. Nothing is known about the effect, except that unsent bytes have none. */
export interface TransportFailure {
  readonly kind: 'failure'
  readonly code: TransportFailureCode
  /** The system's own error code, or ours; never content. */
  readonly message: string
  /** Whether any byte of the call may have reached the channel. */
  readonly sent: boolean
}

/** What came back: bytes as they are, whatever the status, or a failure. */
export type Exchange =
  | { readonly kind: 'answer'; readonly status: number; readonly body: Uint8Array }
  | TransportFailure

export interface PostOptions {
  readonly urgency: keyof WeChatTimeouts
  readonly signal?: AbortSignal
}

export interface WeChatClient {
  /** Posts a document; never throws and never follows a redirect. */
  post(path: string, body: string, options: PostOptions): Promise<Exchange>
  /** Lets running calls end, then closes every connection. */
  close(): Promise<void>
}

/**
 * The connections of one merchant account, so that a certificate never travels on another
 * merchant's connection. A call that found no connection goes to the backup host; one whose bytes
 * may have left goes nowhere else, because nobody knows what became of it.
 * @throws TypeError when a base URL is not https.
 */
export function createWeChatClient(options: WeChatClientOptions): WeChatClient {
  const { timeouts = DEFAULT_TIMEOUTS, answerBytesMax: bytesMax = ANSWER_BYTES_MAX } = options
  const all = connectionsOf(options, timeouts)
  const hosts = createHosts(all)
  return {
    async post(path, body, { urgency, signal }) {
      let exchange: Exchange = NO_HOST
      for (const host of hosts.inOrder()) {
        exchange = await new Promise<Exchange>((resolve) => {
          const call = createCall({ timeouts: timeouts[urgency], bytesMax, resolve })
          call.watch(signal)
          if (!call.isSettled()) host.post(path, body, call.handler)
        })
        if (!foundNoConnection(exchange)) return exchange
        hosts.avoid(host)
      }
      return exchange
    },
    async close() {
      await Promise.all(all.map((connections) => connections.close()))
    },
  }
}

function connectionsOf(options: WeChatClientOptions, timeouts: WeChatTimeouts): Connections[] {
  const { baseUrl, backupUrl, connections = CONNECTIONS_DEFAULT } = options
  const connectMs = Math.max(timeouts.waiting.connectMs, timeouts.background.connectMs)
  return [baseUrl, ...(backupUrl === undefined ? [] : [backupUrl])].map((url) =>
    createConnections(url, { ...options, connections, connectMs }),
  )
}

const NO_HOST: TransportFailure = {
  kind: 'failure',
  code: 'network_error',
  message: 'no host',
  sent: false,
}

/** A wrong certificate is no failure to connect: whoever shows one may stand in every way. */
const CONNECT_FAILURES: ReadonlySet<string> = new Set(['connect_timeout', 'network_error'])

const foundNoConnection = (exchange: Exchange): boolean =>
  exchange.kind === 'failure' && !exchange.sent && CONNECT_FAILURES.has(exchange.code)

interface CallLimits {
  readonly timeouts: CallTimeouts
  readonly bytesMax: number
  readonly resolve: (exchange: Exchange) => void
}

interface Call {
  readonly handler: Dispatcher.DispatchHandler
  /** Ends the call when the signal does, now or later. */
  watch(signal: AbortSignal | undefined): void
  isSettled(): boolean
}

/**
 * The state of one call. It settles exactly once; whatever the connection reports after that is
 * dropped, and a request that was not written by then is aborted before its first byte.
 */
function createCall({ timeouts, bytesMax, resolve }: CallLimits): Call {
  const chunks: Buffer[] = []
  let bytes = 0
  let status = 0
  let settled = false
  let abort: (() => void) | undefined
  let stopWatching: (() => void) | undefined
  let timer = setTimeout(() => fail('connect_timeout', 'no connection'), timeouts.connectMs)

  function settle(exchange: Exchange): void {
    if (settled) return
    settled = true
    clearTimeout(timer)
    stopWatching?.()
    resolve(exchange)
  }

  function fail(code: TransportFailureCode, message: string): void {
    settle({ kind: 'failure', code, message, sent: abort !== undefined })
    abort?.()
  }

  const handler: Dispatcher.DispatchHandler = {
    onRequestStart(controller) {
      abort = () => controller.abort(new Error('The call has ended.'))
      if (settled) return abort()
      clearTimeout(timer)
      timer = setTimeout(() => fail('answer_timeout', 'no answer'), timeouts.answerMs)
    },
    onResponseStart(_controller, statusCode) {
      status = statusCode
    },
    onResponseData(_controller, chunk) {
      bytes += chunk.length
      if (bytes > bytesMax) return fail('answer_too_large', 'too many bytes')
      chunks.push(chunk)
    },
    onResponseEnd() {
      settle({ kind: 'answer', status, body: Buffer.concat(chunks) })
    },
    onResponseError(_controller, error) {
      const { code, message } = failureOf(error)
      fail(code, message)
    },
  }

  return {
    handler,
    isSettled: () => settled,
    watch(signal) {
      if (signal === undefined) return
      const onAbort = (): void => fail('aborted', 'aborted by the caller')
      if (signal.aborted) return onAbort()
      signal.addEventListener('abort', onAbort, { once: true })
      stopWatching = () => signal.removeEventListener('abort', onAbort)
    },
  }
}

const TLS_CODE_PATTERN = /CERT|TLS|SSL|SIGNATURE|ISSUER|EPROTO|CRL/

function failureOf(error: Error): { code: TransportFailureCode; message: string } {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name
  if (code === 'UND_ERR_CONNECT_TIMEOUT') return { code: 'connect_timeout', message: code }
  return { code: TLS_CODE_PATTERN.test(code) ? 'tls_error' : 'network_error', message: code }
}

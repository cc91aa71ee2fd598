import { Pool } from 'undici'
import type { Dispatcher } from 'undici'

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

export interface WeChatClientOptions {
  /** Scheme, host and port, such as `https://api.mch.weixin.qq.com`. */
  readonly baseUrl: string
  /** Authorities to trust instead of the system's, as PEM. TLS is verified in any case. */
  readonly ca?: string
  /** The merchant's API certificate, shown to the server when it asks (`/secapi/`). */
  readonly clientCertificate?: { readonly certPem: string; readonly keyPem: string }
  readonly timeouts?: WeChatTimeouts
  /** The most connections at a time; further calls queue within their connect time-out. */
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
 * One pool of connections for one merchant account, so that a certificate never travels on another
 * merchant's connection.
 * @throws TypeError when the base URL is not https.
 */
export function createWeChatClient(options: WeChatClientOptions): WeChatClient {
  if (new URL(options.baseUrl).protocol !== 'https:') {
    throw new TypeError('The base URL of WeChat Pay must begin with https://.')
  }
  const timeouts = options.timeouts ?? DEFAULT_TIMEOUTS
  const bytesMax = options.answerBytesMax ?? ANSWER_BYTES_MAX
  const pool = createPool(options, timeouts)
  return {
    post: (path, body, { urgency, signal }) =>
      new Promise((resolve) => {
        const call = createCall({ timeouts: timeouts[urgency], bytesMax, resolve })
        call.watch(signal)
        if (call.isSettled()) return
        pool.dispatch(requestOf(path, body), call.handler)
      }),
    close: () => pool.close(),
  }
}

function createPool(options: WeChatClientOptions, timeouts: WeChatTimeouts): Pool {
  const { ca, clientCertificate } = options
  const connectMs = Math.max(timeouts.waiting.connectMs, timeouts.background.connectMs)
  return new Pool(options.baseUrl, {
    connections: options.connections ?? CONNECTIONS_DEFAULT,
    // Each call keeps its own time, because the calls of one pool differ in urgency.
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: {
      timeout: connectMs,
      rejectUnauthorized: true,
      minVersion: 'TLSv1.2',
      ...(ca === undefined ? {} : { ca }),
      ...(clientCertificate === undefined
        ? {}
        : { cert: clientCertificate.certPem, key: clientCertificate.keyPem }),
    },
  })
}

function requestOf(path: string, body: string): Dispatcher.DispatchOptions {
  return {
    path,
    method: 'POST',
    headers: { 'content-type': 'text/xml; charset=utf-8', accept: 'text/xml' },
    body,
  }
}

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

import { Agent as HttpAgent, request as httpRequest } from 'node:http'
import type { ClientRequest, IncomingMessage, RequestOptions } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { rootCertificates } from 'node:tls'

/** WeChat Pay waits this long for a merchant's answer; the sandbox's clock does not scale it. */
const ANSWER_WITHIN_MS = 5_000
const ANSWER_BYTES_MAX = 64 * 1024

export interface Delivery {
  /** Null when no whole answer came in time. */
  readonly status: number | null
  readonly answer: string
}

/** Posts notifications to merchants over kept-alive connections; redirects are not followed. */
export class Courier {
  readonly #http = new HttpAgent({ keepAlive: true })
  readonly #https: HttpsAgent

  /** Beside the public authorities, certificates of `caPem` are trusted. */
  constructor(caPem: string) {
    this.#https = new HttpsAgent({ keepAlive: true, ca: [...rootCertificates, caPem] })
  }

  async post(url: string, body: string): Promise<Delivery> {
    const signal = AbortSignal.timeout(ANSWER_WITHIN_MS)
    try {
      return await this.#postOnce(url, body, signal)
    } catch (error) {
      // A kept-alive connection that the other side has just closed says nothing about it.
      if (!(error instanceof StaleConnectionError)) return failure(error, signal)
    }
    return this.#postOnce(url, body, signal).catch((error: unknown) => failure(error, signal))
  }

  close(): void {
    this.#http.destroy()
    this.#https.destroy()
  }

  #postOnce(url: string, body: string, signal: AbortSignal): Promise<Delivery> {
    return new Promise((resolve, reject) => {
      const request = this.#request(url, {
        method: 'POST',
        signal,
        headers: {
          'content-type': 'text/xml; charset=utf-8',
          'content-length': Buffer.byteLength(body),
          'user-agent': 'Mozilla/4.0',
        },
      })
      request.on('error', (error: NodeJS.ErrnoException) => {
        const isStale = request.reusedSocket && error.code === 'ECONNRESET'
        reject(isStale ? new StaleConnectionError() : error)
      })
      request.on('response', (response) => {
        void readAnswer(response).then(resolve, reject)
      })
      request.end(body)
    })
  }

  #request(url: string, options: RequestOptions): ClientRequest {
    return url.startsWith('https:')
      ? httpsRequest(url, { ...options, agent: this.#https })
      : httpRequest(url, { ...options, agent: this.#http })
  }
}

class StaleConnectionError extends Error {
  override readonly name = 'StaleConnectionError'
}

async function readAnswer(response: IncomingMessage): Promise<Delivery> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > ANSWER_BYTES_MAX) throw new Error('the answer is too long')
    chunks.push(chunk)
  }
  return { status: response.statusCode ?? null, answer: Buffer.concat(chunks).toString('utf8') }
}

function failure(error: unknown, signal: AbortSignal): Delivery {
  const code = (error as NodeJS.ErrnoException).code
  const reason = error instanceof Error ? (code ?? error.message) : 'failed'
  return { status: null, answer: signal.aborted ? 'no answer within 5 s' : reason }
}

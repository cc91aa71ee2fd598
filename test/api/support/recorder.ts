import { request } from 'undici'

import type { RecordedExample } from '../../../src/api/recorded-examples.js'

/** What stands for a value by the name of its member, whatever it was. */
const BY_NAME: Readonly<Record<string, unknown>> = {
  nonceStr: '5K8264ILTKCH16CQ2502SI8ZNMTM67VS',
  paySign: 'C380BEC2BFD727A4B6845133519F3AD6',
  timeStamp: '1795420800',
  package: 'prepay_id=wx201410272009395522657a690389285100',
  transactionId: '4200002202202611230000000001',
  refundId: '50000702202611230000000001',
  secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
  hash: '00'.repeat(32),
  publicKey: '00'.repeat(32),
  signature: '00'.repeat(64),
  keyId: '0123456789abcdef',
  sealNo: 7,
  lastSeq: 7,
  attemptCount: 0,
  attempts: [],
  submitCount: 1,
  queryCount: 1,
  certPem: '-----BEGIN CERTIFICATE-----\n...',
  keyPem: '-----BEGIN PRIVATE KEY-----\n...',
  serialNumber: '0'.repeat(39).concat('1'),
}

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g
const INSTANT = /\d{4}-\d\d-\d\dT[\d:.]+Z/g
const NUMBER = /\b[PR][0-9A-HJKMNP-TV-Z]{20,31}\b/g

/** Makes real calls and keeps one of each operation, with ids that are the same in every run. */
export class Recorder {
  readonly examples: Record<string, RecordedExample> = {}
  readonly #url: string
  readonly #stable = new Map<string, string>()
  readonly #wordsOfRun: ReadonlyMap<string, string>

  /** @param wordsOfRun what else is of this run alone, and what stands for it */
  constructor(url: string, wordsOfRun: Readonly<Record<string, string>>) {
    this.#url = url
    this.#wordsOfRun = new Map(Object.entries(wordsOfRun))
  }

  async call<Body>(
    operationId: string,
    how: {
      readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
      readonly path: string
      readonly key?: string
      readonly body?: unknown
      readonly idempotencyKey?: string
    },
  ): Promise<Body> {
    const { method, path, key, body, idempotencyKey } = how
    const isText = typeof body === 'string'
    const reply = await request(`${this.#url}${path}`, {
      method,
      headers: {
        ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
        ...(idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey }),
        ...(body === undefined ? {} : { 'content-type': isText ? 'text/xml' : 'application/json' }),
      },
      ...(body === undefined ? {} : { body: isText ? body : JSON.stringify(body) }),
    })
    const text = await reply.body.text()
    if (reply.statusCode >= 400) throw new Error(`${operationId}: ${reply.statusCode} ${text}`)
    const answer: unknown = /^[[{]/.test(text) ? JSON.parse(text) : text
    this.examples[operationId] = {
      request: {
        path: this.#text(path),
        ...(body === undefined ? {} : { body: this.#scrub(body) }),
      },
      response: { status: reply.statusCode, body: this.#scrub(answer) },
    }
    return answer as Body
  }

  #scrub(value: unknown, name = ''): unknown {
    if (value !== null && Object.hasOwn(BY_NAME, name)) return BY_NAME[name]
    if (typeof value === 'string') return this.#text(value)
    if (Array.isArray(value)) return value.map((each) => this.#scrub(each))
    if (typeof value !== 'object' || value === null) return value
    const pairs = Object.entries(value).map(([key, each]) => [key, this.#scrub(each, key)] as const)
    return Object.fromEntries(pairs)
  }

  #text(text: string): string {
    const known = [...this.#wordsOfRun].reduce(
      (seen, [word, by]) => seen.replaceAll(word, by),
      text,
    )
    return known
      .replaceAll(INSTANT, '2026-11-23T08:00:00.000Z')
      .replaceAll(UUID, (id) => this.#instead(id, (n) => `01a20000-0000-7000-8000-${pad(n, 12)}`))
      .replaceAll(NUMBER, (no) => this.#instead(no, (n) => `${no.slice(0, 1)}1NG8${pad(n, 18)}`))
  }

  #instead(value: string, make: (n: number) => string): string {
    const known = this.#stable.get(value)
    if (known !== undefined) return known
    const made = make(this.#stable.size + 1)
    this.#stable.set(value, made)
    return made
  }
}

const pad = (n: number, length: number): string => String(n).padStart(length, '0')

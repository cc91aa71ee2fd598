import { setTimeout as sleep } from 'node:timers/promises'

import { Agent, request } from 'undici'

import { readFlatXml } from '../../../src/sandbox/xml.js'
import { isSignedV2 } from './independent-sign.js'
import { LANES, makeInput, type Input, type Lane, type Surface } from './inputs.js'
import { readInProcess } from './readers.js'
import { API_V2_KEY, OUT_TRADE_NO, type Target } from './target.js'

const AT_ONCE = 8
/** The first inputs fill caches and pools; memory is compared from there. */
const WARM_UP = 500
const MEMORY_POLL_MS = 250
/** What one answer, and one reading in this process, may take on a machine that does more. */
const ANSWER_MS_MAX = 30_000
const READING_MS_MAX = 10_000
const RSS_GROWTH_BYTES_MAX = 256 * 1_024 * 1_024

export interface FuzzOptions {
  readonly inputs: number
  readonly seed: number
  readonly onProgress?: (done: number) => void
}

export interface FuzzReport {
  readonly inputs: number
  readonly seed: number
  /** How many answers each lane got by status; 0 for a connection that was closed unanswered. */
  readonly answers: ReadonlyMap<Lane, ReadonlyMap<number, number>>
  readonly slowest: { readonly ms: number; readonly number: number; readonly lane: Lane }
  readonly slowestReadingMs: number
  readonly rssBytes: { readonly warm: number; readonly most: number; readonly last: number }
  readonly rows: {
    readonly before: Readonly<Record<string, number>>
    readonly after: Readonly<Record<string, number>>
  }
  /** Genuine messages among the spoilt ones: what was changed did not touch what they say. */
  readonly genuine: number
  readonly seconds: number
  /** What must not be, each with the number that makes the input again. */
  readonly violations: readonly string[]
}

/** Sends seeded hostile inputs to an API process and looks whether any of them got through. */
export async function fuzz(
  target: Target,
  surface: Surface,
  options: FuzzOptions,
): Promise<FuzzReport> {
  const run = new Run(target, surface, options)
  return run.report()
}

class Run {
  readonly #target: Target
  readonly #surface: Surface
  readonly #options: FuzzOptions
  readonly #agent = new Agent({ connections: AT_ONCE, pipelining: 1 })
  readonly #answers = new Map<Lane, Map<number, number>>(LANES.map((lane) => [lane, new Map()]))
  readonly #violations: string[] = []
  readonly #rss = { warm: 0, most: 0, last: 0 }
  #slowest: FuzzReport['slowest'] = { ms: 0, number: 0, lane: LANES[0] ?? 'payment: bytes' }
  #slowestReadingMs = 0
  #genuine = 0
  #next = 0

  constructor(target: Target, surface: Surface, options: FuzzOptions) {
    this.#target = target
    this.#surface = surface
    this.#options = options
  }

  async report(): Promise<FuzzReport> {
    const { inputs, seed } = this.#options
    const begun = performance.now()
    const before = await this.#target.rowCounts()
    let isOver = false
    const watching = this.#watchMemory(() => isOver)
    await Promise.all(Array.from({ length: AT_ONCE }, () => this.#lane()))
    isOver = true
    await watching
    await this.#agent.close()
    const after = await this.#target.rowCounts()
    this.#judgeRows(before, after)
    this.#judgeProcess()
    return {
      inputs,
      seed,
      answers: this.#answers,
      slowest: this.#slowest,
      slowestReadingMs: this.#slowestReadingMs,
      rssBytes: this.#rss,
      rows: { before, after },
      genuine: this.#genuine,
      seconds: Math.round((performance.now() - begun) / 1_000),
      violations: this.#violations,
    }
  }

  async #lane(): Promise<void> {
    const { inputs, seed, onProgress } = this.#options
    while (this.#next < inputs && this.#target.isRunning()) {
      const number = this.#next
      this.#next += 1
      const input = makeInput(seed, number, this.#surface)
      this.#read(number, input)
      await this.#send(number, input)
      onProgress?.(number + 1)
    }
  }

  /** The readers by themselves: they answer or refuse in their own words, and soon. */
  #read(number: number, input: Input): void {
    const begun = performance.now()
    try {
      readInProcess(input.body)
    } catch (error) {
      this.#violate(number, input, `a reader threw ${String(error)}`)
    }
    const ms = performance.now() - begun
    this.#slowestReadingMs = Math.max(this.#slowestReadingMs, ms)
    if (ms > READING_MS_MAX) this.#violate(number, input, `reading took ${Math.round(ms)} ms`)
  }

  async #send(number: number, input: Input): Promise<void> {
    const begun = performance.now()
    const { method, path, headers, body } = input
    const { status, text } = await request(`${this.#target.url}${path}`, {
      method,
      headers,
      dispatcher: this.#agent,
      ...(method === 'GET' ? {} : { body }),
    }).then(
      async (answer) => ({ status: answer.statusCode, text: await answer.body.text() }),
      (error: unknown) => ({ status: 0, text: String(error) }),
    )
    const ms = performance.now() - begun
    const counts = this.#answers.get(input.lane)
    counts?.set(status, 1 + (counts.get(status) ?? 0))
    if (ms > this.#slowest.ms) this.#slowest = { ms, number, lane: input.lane }
    if (ms > ANSWER_MS_MAX) this.#violate(number, input, `the answer took ${Math.round(ms)} ms`)
    this.#judge(number, input, status, text)
  }

  #judge(number: number, input: Input, status: number, text: string): void {
    if (status >= 500) this.#violate(number, input, `was answered ${status}: ${text.slice(0, 200)}`)
    // What is too large to be read is answered and hung up on, which can cross what is still sent.
    const isCut = status === 0 && input.body.length > 64 * 1_024
    if (status === 0 && !isCut) this.#violate(number, input, `was not answered: ${text}`)
    if (!input.path.startsWith('/notify/') || !text.includes('[SUCCESS]')) return
    if (isGenuine(input)) this.#genuine += 1
    else this.#violate(number, input, 'was believed')
  }

  /** A genuine message makes its row once; whatever else there is was made by a forged one. */
  #judgeRows(before: Record<string, number>, after: Record<string, number>): void {
    for (const [table, count] of Object.entries(after)) {
      const more = count - (before[table] ?? 0)
      const isOwn = (table === 'inbox' || table === 'inbox_bodies') && this.#genuine > 0
      if (more > (isOwn ? 1 : 0)) this.#violations.push(`${table} has ${more} new rows`)
    }
  }

  #judgeProcess(): void {
    if (!this.#target.isRunning()) this.#violations.push('the process ended')
    const grown = this.#rss.last - this.#rss.warm
    if (this.#rss.warm > 0 && grown > RSS_GROWTH_BYTES_MAX) {
      this.#violations.push(`memory grew by ${Math.round(grown / 1_048_576)} MiB`)
    }
  }

  async #watchMemory(isOver: () => boolean): Promise<void> {
    while (!isOver()) {
      this.#rss.last = this.#target.rssBytes()
      this.#rss.most = Math.max(this.#rss.most, this.#rss.last)
      if (this.#rss.warm === 0 && this.#next >= WARM_UP) this.#rss.warm = this.#rss.last
      await sleep(MEMORY_POLL_MS)
    }
  }

  #violate(number: number, { lane, method, path }: Input, what: string): void {
    this.#violations.push(`input ${number} (${lane}, ${method} ${path.slice(0, 80)}): ${what}`)
  }
}

/**
 * Whether another reader and another implementation of the signature find that WeChat Pay has said
 * just this about the merchant's order.
 */
function isGenuine({ path, body }: Input): boolean {
  if (!/\/payment\/?$/.test(path)) return false
  try {
    const fields = readFlatXml(body.toString('utf8'))
    return fields.get('out_trade_no') === OUT_TRADE_NO && isSignedV2(fields, API_V2_KEY)
  } catch {
    return false
  }
}

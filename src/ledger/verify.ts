import type { KeyObject } from 'node:crypto'
import type { Finding, Findings } from './findings.js'
import { publicKeyOf, sealKeyId } from './seal-key.js'
import { ChainCheck, type StoredSeal } from './verify-chain.js'
import type { StoredDay } from './verify-days.js'
import type { EntrySum } from './verify-entry.js'

export interface VerifyOptions {
  /** The hash of a seal that was kept outside: the book must hold it. */
  readonly head?: Buffer
  /** Ed25519 public keys that are trusted, 32 bytes each; else those in the book itself are. */
  readonly publicKeys?: readonly Buffer[]
  /** Told how much is done, from 0 to 1. */
  readonly onProgress?: (done: number) => void
}

export interface Verdict {
  readonly ok: boolean
  readonly entries: number
  readonly transfers: number
  readonly seals: number
  /** Entries that wait for their seal. */
  readonly waiting: number
  readonly head: {
    readonly sealNo: number
    readonly hash: string
    readonly keyId: string
    readonly sealedAt: string
  } | null
  /** Where the public keys came from. */
  readonly keys: 'given' | 'the book'
  /** What is wrong; of very many the first. */
  readonly findings: readonly Finding[]
  readonly findingsTotal: number
}

/** A book that can be read in the order of its numbers, wherever it is kept. */
export interface BookSource {
  readonly transfers: number
  /** Entries that wait for their seal. */
  readonly waiting: number
  readonly keys: ReadonlyMap<string, Buffer>
  /** By number, each kept to its transfers before. */
  readonly entries: AsyncIterable<readonly EntrySum[]>
  readonly seals: AsyncIterable<readonly StoredSeal[]>
  readonly days: AsyncIterable<readonly StoredDay[]>
}

const MICROSECONDS_PER_MILLISECOND = 1_000n

/** Checks the seals of a book, from the first to the last, and what is kept of its days. */
export async function verifyBook(
  source: BookSource,
  findings: Findings,
  options: VerifyOptions,
): Promise<Verdict> {
  const { head, publicKeys } = options
  const keys = publicKeys === undefined ? keysOf(source.keys) : trustedKeys(publicKeys)
  const chain = new ChainCheck({ keys, head, findings })
  await checkChain(source, chain)
  chain.end()
  return {
    ok: findings.total === 0,
    entries: chain.entries + source.waiting,
    transfers: source.transfers,
    seals: chain.seals,
    waiting: source.waiting,
    head: chain.last === undefined ? null : headOf(chain.last),
    keys: publicKeys === undefined ? 'the book' : 'given',
    findings: findings.kept,
    findingsTotal: findings.total,
  }
}

async function checkChain(source: BookSource, chain: ChainCheck): Promise<void> {
  const entries = await Ahead.of(source.entries)
  const days = await Ahead.of(source.days)
  for await (const seals of source.seals) {
    for (const seal of seals) {
      chain.openSeal(seal)
      for (let next = entries.next; next && next.seq <= seal.lastSeq; next = entries.next) {
        chain.addEntry(next)
        await entries.advance()
      }
      chain.closeSeal()
      for (; days.next && days.next.lastSeq <= seal.lastSeq; await days.advance()) {
        chain.checkDay(days.next)
      }
    }
  }
  for (; entries.next; await entries.advance()) chain.addUnsealed(entries.next)
  for (; days.next; await days.advance()) chain.checkDay(days.next)
}

/** Keys in the book that are not what their names say are not taken. */
function keysOf(stored: ReadonlyMap<string, Buffer>): ReadonlyMap<string, KeyObject> {
  const named = [...stored].filter(([id, key]) => key.length === 32 && sealKeyId(key) === id)
  return new Map(named.map(([id, key]) => [id, publicKeyOf(key)]))
}

const trustedKeys = (publicKeys: readonly Buffer[]): ReadonlyMap<string, KeyObject> =>
  new Map(publicKeys.map((key) => [sealKeyId(key), publicKeyOf(key)]))

const headOf = ({ sealNo, hash, keyId, sealedAtUs }: StoredSeal) => ({
  sealNo,
  hash: hash.toString('hex'),
  keyId,
  sealedAt: new Date(Number(sealedAtUs / MICROSECONDS_PER_MILLISECOND)).toISOString(),
})

/** The items of a source that comes in batches, one at a time, the next one in view. */
class Ahead<Item> {
  readonly #batches: AsyncIterator<readonly Item[]>
  #batch: readonly Item[] = []
  #at = 0

  private constructor(batches: AsyncIterable<readonly Item[]>) {
    this.#batches = batches[Symbol.asyncIterator]()
  }

  static async of<Item>(batches: AsyncIterable<readonly Item[]>): Promise<Ahead<Item>> {
    const ahead = new Ahead(batches)
    await ahead.advance()
    return ahead
  }

  /** Undefined when all were seen. */
  get next(): Item | undefined {
    return this.#batch[this.#at]
  }

  async advance(): Promise<void> {
    this.#at += 1
    while (this.#at >= this.#batch.length) {
      const { done, value } = await this.#batches.next()
      this.#batch = done === true ? [] : value
      this.#at = 0
      if (done === true) return
    }
  }
}

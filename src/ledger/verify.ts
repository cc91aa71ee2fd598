import type { KeyObject } from 'node:crypto'
import { Ahead, type Batches } from './batches.js'
import type { Finding, Findings } from './findings.js'
import { publicKeyOf, sealKeyId } from './seal-key.js'
import { ChainCheck, type StoredSeal } from './verify-chain.js'
import type { StoredDay } from './verify-days.js'
import type { EntrySum } from './verify-entry.js'
import type { Waiting } from './verify-unnumbered.js'

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
  /** Null for a dump from before the audit log was sealed. */
  readonly auditLines: number | null
  readonly seals: number
  /** Entries that wait for their seal. */
  readonly waiting: number
  /** Lines of the audit log that do. */
  readonly auditWaiting: number
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
  /** False where there is nothing but the journal to check. */
  readonly hasAudit: boolean
  readonly waiting: Waiting
  readonly keys: ReadonlyMap<string, Buffer>
  /** By number, each held to its rows before. */
  readonly entries: Batches<EntrySum>
  readonly seals: Batches<StoredSeal>
  readonly days: Batches<StoredDay>
}

const MICROSECONDS_PER_MILLISECOND = 1_000n

/** Checks the seals of a book, from the first to the last, and what is kept of its days. */
export async function verifyBook(
  source: BookSource,
  findings: Findings,
  options: VerifyOptions,
): Promise<Verdict> {
  const { head, publicKeys } = options
  const { waiting } = source
  const keys = publicKeys === undefined ? keysOf(source.keys) : trustedKeys(publicKeys)
  const chain = new ChainCheck({ keys, head, findings })
  await checkChain(source, chain)
  chain.end()
  return {
    ok: findings.total === 0,
    entries: chain.entries + waiting.entries,
    transfers: source.transfers,
    auditLines: source.hasAudit ? chain.auditLines + waiting.auditLines : null,
    seals: chain.seals,
    waiting: waiting.entries,
    auditWaiting: waiting.auditLines,
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

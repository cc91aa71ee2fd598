import { sql, type Database } from '../db/pool.js'
import { inTransaction, type Transaction } from '../db/transaction.js'
import { merkleRoot } from './merkle.js'
import { microsecondsOf, sealHash, type SealContent } from './seal-chain.js'
import type { SealingKey } from './seal-key.js'

const HASH_BYTES = 32

interface Numbered {
  readonly sealNo: number
  readonly firstSeq: number
  readonly lastSeq: number
  readonly entries: number
  readonly sumFen: string
  readonly entryHashes: Buffer
  readonly prevHash: Buffer
  readonly prevSealedAt: Date | null
}

const NUMBER = sql(
  'seal_number_entries',
  `select seal_no as "sealNo", first_seq as "firstSeq", last_seq as "lastSeq", entries,
     sum_fen as "sumFen", entry_hashes as "entryHashes", prev_hash as "prevHash",
     prev_sealed_at as "prevSealedAt"
   from number_entries($1)`,
)
const INSERT_KEY = sql(
  'seal_keys_insert',
  `insert into seal_keys (key_id, public_key, first_used_at) values ($1, $2, $3)
   on conflict do nothing`,
)
const INSERT = sql(
  'seals_insert',
  `insert into seals (seal_no, first_seq, last_seq, entries, sum_fen, merkle_root, prev_hash, hash,
     key_id, signature, sealed_at)
   values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
)

export interface SealRound {
  readonly key: SealingKey
  /** How many entries one seal takes at most, and how many lines of the audit log. */
  readonly entriesMax: number
  readonly now: Date
}

/**
 * Seals the entries and the lines of the audit log that wait, in one transaction: all of it stands
 * or nothing does, so a sealer that dies leaves them to the next. While another one is at work
 * there is nothing to do.
 * @returns how many were sealed
 */
export async function sealEntries(database: Database, round: SealRound): Promise<number> {
  return inTransaction(database, async (tx) => {
    const [numbered] = await tx.rows<Numbered>(NUMBER, [round.entriesMax])
    if (numbered === undefined) return 0
    await writeSeal(tx, numbered, round)
    return numbered.entries
  })
}

async function writeSeal(
  tx: Transaction,
  numbered: Numbered,
  { key, now }: SealRound,
): Promise<void> {
  // The time of seals never goes back, also where two workers' clocks disagree.
  const sealedAt = new Date(Math.max(now.getTime(), numbered.prevSealedAt?.getTime() ?? 0))
  const seal: SealContent = {
    ...numbered,
    sumFen: BigInt(numbered.sumFen),
    merkleRoot: merkleRoot(hashesIn(numbered.entryHashes)),
    keyId: key.id,
    sealedAtUs: microsecondsOf(sealedAt),
  }
  const hash = sealHash(seal)
  await tx.rows(INSERT_KEY, [key.id, key.publicKey, sealedAt])
  await tx.rows(INSERT, [
    seal.sealNo,
    seal.firstSeq,
    seal.lastSeq,
    seal.entries,
    numbered.sumFen,
    seal.merkleRoot,
    seal.prevHash,
    hash,
    seal.keyId,
    key.sign(hash),
    sealedAt,
  ])
}

function* hashesIn(joined: Buffer): Generator<Buffer> {
  for (let at = 0; at < joined.length; at += HASH_BYTES) yield joined.subarray(at, at + HASH_BYTES)
}

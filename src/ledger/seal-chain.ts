import { canonicalText, sha256 } from './canonical.js'

/** What stands before the first seal. */
export const GENESIS_HASH = Buffer.alloc(32)

const MICROSECONDS_PER_MILLISECOND = 1_000n

/** What a seal says of the entries it holds; its hash is over all of this. */
export interface SealContent {
  readonly sealNo: number
  readonly firstSeq: number
  readonly lastSeq: number
  readonly entries: number
  /** What the transfers of these entries moved. */
  readonly sumFen: bigint
  readonly merkleRoot: Buffer
  /** The hash of the seal before, or of nothing. */
  readonly prevHash: Buffer
  readonly keyId: string
  /** In microseconds since 1970. */
  readonly sealedAtUs: bigint
}

/** The hash that links a seal to the one before; the trigger `seals_guard` computes the same. */
export const sealHash = (seal: SealContent): Buffer =>
  sha256(
    canonicalText([
      String(seal.sealNo),
      String(seal.firstSeq),
      String(seal.lastSeq),
      String(seal.entries),
      String(seal.sumFen),
      seal.merkleRoot.toString('hex'),
      seal.prevHash.toString('hex'),
      seal.keyId,
      String(seal.sealedAtUs),
    ]),
  )

/** An instant in microseconds since 1970, as seals hash it. */
export const microsecondsOf = (at: Date): bigint =>
  BigInt(at.getTime()) * MICROSECONDS_PER_MILLISECOND

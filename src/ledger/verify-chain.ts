import type { KeyObject } from 'node:crypto'
import type { FindingKind, Findings } from './findings.js'
import { MerkleTree } from './merkle.js'
import { RunningBalances, type StoredDay } from './verify-days.js'
import { GENESIS_HASH, sealHash, type SealContent } from './seal-chain.js'
import { isSealedBy } from './seal-key.js'
import { entryName, type EntrySum } from './verify-entry.js'

/** A seal as it stands in a database or a dump. */
export interface StoredSeal extends SealContent {
  readonly hash: Buffer
  readonly signature: Buffer
}

export interface ChainOptions {
  /** Public keys that are trusted, by their ids. */
  readonly keys: ReadonlyMap<string, KeyObject>
  /** The hash of a seal that was kept elsewhere. */
  readonly head: Buffer | undefined
  readonly findings: Findings
}

/** A seal whose entries are coming. */
interface OpenSeal {
  readonly seal: StoredSeal
  readonly tree: MerkleTree
  sumFen: bigint
  nextSeq: number
  lastEntry: { readonly recordedFromUs: bigint; readonly entryId: string } | undefined
  /** False when something was told that explains a root and a sum that differ. */
  isSound: boolean
}

/**
 * Checks seals and their entries as they come, in the order of their numbers: first a seal, then
 * its entries. It remembers a seal and the balance of every account, however long the book is.
 */
export class ChainCheck {
  readonly #options: ChainOptions
  readonly #balances = new RunningBalances()
  #last: StoredSeal | undefined
  #open: OpenSeal | undefined
  #isHeadFound: boolean
  #isSound = true
  #seals = 0
  #entries = 0
  #auditLines = 0

  constructor(options: ChainOptions) {
    this.#options = options
    this.#isHeadFound = options.head === undefined
  }

  get seals(): number {
    return this.#seals
  }

  get entries(): number {
    return this.#entries
  }

  get auditLines(): number {
    return this.#auditLines
  }

  /** The last seal so far. */
  get last(): StoredSeal | undefined {
    return this.#last
  }

  openSeal(seal: StoredSeal): void {
    this.#seals += 1
    this.#checkLink(seal)
    this.#checkSignature(seal)
    if (this.#options.head?.equals(seal.hash)) this.#isHeadFound = true
    const tree = new MerkleTree()
    const { firstSeq: nextSeq } = seal
    this.#open = { seal, tree, sumFen: 0n, nextSeq, lastEntry: undefined, isSound: true }
    this.#last = seal
  }

  /** Adds the next entry up to the last number of the open seal. */
  addEntry(entry: EntrySum): void {
    const open = this.#open
    if (open === undefined) throw new Error('A seal must be open before its entries come.')
    this.#count(entry)
    this.#balances.add(entry)
    if (!entry.isSound) this.#spoil()
    // It belongs to a seal before, which is missing.
    if (entry.seq < open.seal.firstSeq && entry.sealNo < open.seal.sealNo) return
    this.#checkNumber(open, entry)
    this.#checkOrder(open, entry)
    open.tree.add(Buffer.from(entry.entryHash, 'hex'))
    open.sumFen += entry.sumFen
  }

  /** Ends the open seal: its entries have all come. */
  closeSeal(): void {
    const open = this.#open
    if (open === undefined) return
    const { seal, nextSeq } = open
    if (nextSeq <= seal.lastSeq) this.#tell('number_missing', numbers(nextSeq, seal.lastSeq))
    if (open.isSound) {
      const range = numbers(seal.firstSeq, seal.lastSeq)
      if (!open.tree.root().equals(seal.merkleRoot)) {
        this.#tell('root_wrong', `seal ${seal.sealNo}, ${range}`)
      } else if (open.sumFen !== seal.sumFen) this.#tell('sum_wrong', `seal ${seal.sealNo}`)
    }
    this.#open = undefined
  }

  /** Holds what was kept of a day to what has come: its last seal was the last that was closed. */
  checkDay(day: StoredDay): void {
    const wrong = this.#balances.checkDay(day, this.#last)
    // A book that is wrong before this has wrong balances after it, which says nothing new.
    if (!this.#isSound) return
    for (const where of wrong) this.#options.findings.add('balance_wrong', where)
  }

  /** Tells of an entry with a number that no seal reaches. */
  addUnsealed(entry: EntrySum): void {
    this.#count(entry)
    this.#tell('number_unsealed', entryName(entry))
  }

  /** The book is over. */
  end(): void {
    const { head } = this.#options
    if (!this.#isHeadFound) this.#tell('head_missing', `head ${head?.toString('hex')}`)
  }

  #count({ kind }: EntrySum): void {
    if (kind === 'entry') this.#entries += 1
    else this.#auditLines += 1
  }

  #tell(kind: FindingKind, where: string): void {
    this.#options.findings.add(kind, where)
    this.#spoil()
  }

  #spoil(): void {
    this.#isSound = false
    if (this.#open !== undefined) this.#open.isSound = false
  }

  #checkLink(seal: StoredSeal): void {
    const name = `seal ${seal.sealNo}`
    const expectedNo = (this.#last?.sealNo ?? 0) + 1
    if (seal.sealNo > expectedNo) {
      const until = seal.sealNo - 1
      const isOne = until === expectedNo
      this.#tell('seal_missing', isOne ? `seal ${until}` : `seals ${expectedNo} to ${until}`)
    } else if (!this.#follows(seal)) this.#tell('chain_broken', name)
    if (!sealHash(seal).equals(seal.hash)) this.#tell('seal_changed', name)
  }

  #follows(seal: StoredSeal): boolean {
    const hash = this.#last?.hash ?? GENESIS_HASH
    return seal.prevHash.equals(hash) && seal.firstSeq === (this.#last?.lastSeq ?? 0) + 1
  }

  #checkSignature(seal: StoredSeal): void {
    const key = this.#options.keys.get(seal.keyId)
    if (key === undefined) this.#tell('key_unknown', `seal ${seal.sealNo}, key ${seal.keyId}`)
    else if (!isSealedBy(key, seal.hash, seal.signature)) {
      this.#tell('signature_wrong', `seal ${seal.sealNo}`)
    }
  }

  #checkNumber(open: OpenSeal, entry: EntrySum): void {
    if (entry.seq > open.nextSeq) {
      this.#tell('number_missing', numbers(open.nextSeq, entry.seq - 1))
    }
    if (entry.seq < open.nextSeq || entry.sealNo !== open.seal.sealNo) {
      this.#tell('number_wrong', entryName(entry))
    }
    open.nextSeq = Math.max(open.nextSeq, entry.seq + 1)
  }

  /** Entries are sealed in the order in which they were recorded, and by their ids where equal. */
  #checkOrder(open: OpenSeal, entry: EntrySum): void {
    const { recordedFromUs, entryId } = entry
    if (recordedFromUs === undefined) return
    const { lastEntry } = open
    const isLater =
      lastEntry === undefined ||
      recordedFromUs > lastEntry.recordedFromUs ||
      (recordedFromUs === lastEntry.recordedFromUs && entryId > lastEntry.entryId)
    // An entry whose columns were changed has no place that could be right.
    if (!isLater && entry.isSound) this.#tell('order_wrong', entryName(entry))
    if (entry.isSound) open.lastEntry = { recordedFromUs, entryId }
  }
}

const numbers = (first: number, last: number): string =>
  first === last ? `number ${first}` : `numbers ${first} to ${last}`

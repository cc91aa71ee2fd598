import type { CheckedAuditLine } from './verify-audit.js'
import type { CheckedTransfer, EntrySum, NumberedEntry, SealedKind } from './verify-entry.js'

/** What is known of something sealed by its id: its numbers, its rows, whether it is queued. */
export interface EntryParts {
  readonly kind: SealedKind
  readonly entryId: string
  readonly numbers: NumberedEntry[]
  readonly transfers: CheckedTransfer[]
  readonly auditLines: CheckedAuditLine[]
  isQueued: boolean
}

const NUMBER = 'n'
const QUEUED = 'q'
const TRANSFER = 't'
const AUDIT_LINE = 'a'
const KINDS: Readonly<Record<SealedKind, string>> = { entry: '0', audit: '1' }
const YES = '1'
const NO = '0'
const DIGITS = 16

/** Puts a number in front of what is to be sorted by it. */
export const sortKey = (value: number): string => String(value).padStart(DIGITS, '0')

/**
 * Parts of entries as lines that sort by entry, and whole entries as lines that sort by number.
 * Names of accounts and rules, of which there are few, stand in them as numbers.
 */
export class EntryLines {
  readonly #names: string[] = []
  readonly #places = new Map<string, number>()

  number({ kind, entryId, seq, sealNo, entryHash }: NumberedEntry): string {
    return `${keyOf(kind, entryId)}\t${NUMBER}\t${seq}\t${sealNo}\t${entryHash}`
  }

  queued(kind: SealedKind, entryId: string): string {
    return `${keyOf(kind, entryId)}\t${QUEUED}`
  }

  auditLine(id: string, { recordedAtUs, hash }: CheckedAuditLine): string {
    return `${keyOf('audit', id)}\t${AUDIT_LINE}\t${recordedAtUs}\t${hash}`
  }

  transfer(entryId: string, transfer: CheckedTransfer): string {
    const { rule, debit, credit, n, amountFen, recordedAtUs, hash, isIntact } = transfer
    const names = [rule, debit, credit].map((name) => this.#placeOf(name)).join('\t')
    const end = `${amountFen}\t${recordedAtUs}\t${hash}\t${isIntact ? YES : NO}`
    return `${keyOf('entry', entryId)}\t${TRANSFER}\t${n}\t${names}\t${end}`
  }

  /** Puts together the parts of entries, which come one after another. */
  async *entries(batches: AsyncIterable<readonly string[]>): AsyncGenerator<EntryParts[]> {
    let open: EntryParts | undefined
    let openKey = ''
    for await (const lines of batches) {
      const closed: EntryParts[] = []
      for (const line of lines) {
        const [key = '', part, ...values] = line.split('\t')
        if (open === undefined || key !== openKey) {
          if (open !== undefined) closed.push(open)
          open = partsOf(key)
          openKey = key
        }
        if (part === NUMBER) open.numbers.push(numberOf(open, values))
        else if (part === TRANSFER) open.transfers.push(this.#transferOf(values))
        else if (part === AUDIT_LINE) open.auditLines.push(auditLineOf(values))
        else open.isQueued = true
      }
      yield closed
    }
    if (open !== undefined) yield [open]
  }

  sum(entry: EntrySum): string {
    const { kind, seq, entryId, sealNo, entryHash } = entry
    const { isSound, recordedFromUs, recordedToUs, sumFen } = entry
    const head = `${sortKey(seq)}\t${keyOf(kind, entryId)}\t${seq}\t${sealNo}\t${entryHash}`
    const facts = `${isSound ? YES : NO}\t${recordedFromUs ?? ''}\t${recordedToUs ?? ''}\t${sumFen}`
    const legs = entry.legs.map((leg) => `${this.#placeOf(leg.account)}\t${leg.amountFen}`)
    return [head, facts, ...legs].join('\t')
  }

  sumOf(line: string): EntrySum {
    const [, key = '', seq, sealNo, entryHash = '', isSound, from, to, sumFen = '0', ...legs] =
      line.split('\t')
    return {
      ...sealedOf(key),
      seq: Number(seq),
      sealNo: Number(sealNo),
      entryHash,
      isSound: isSound === YES,
      recordedFromUs: from === '' || from === undefined ? undefined : BigInt(from),
      recordedToUs: to === '' || to === undefined ? undefined : BigInt(to),
      sumFen: BigInt(sumFen),
      legs: Array.from({ length: legs.length / 2 }, (_, at) => ({
        account: this.#nameOf(legs[2 * at]),
        amountFen: BigInt(legs[2 * at + 1] ?? 0),
      })),
    }
  }

  #transferOf(values: readonly string[]): CheckedTransfer {
    const [n, rule, debit, credit, amountFen = '0', recordedAtUs = '0', hash = '', isIntact] =
      values
    return {
      rule: this.#nameOf(rule),
      n: Number(n),
      debit: this.#nameOf(debit),
      credit: this.#nameOf(credit),
      amountFen: BigInt(amountFen),
      recordedAtUs: BigInt(recordedAtUs),
      hash,
      isIntact: isIntact === YES,
    }
  }

  #placeOf(name: string): number {
    const known = this.#places.get(name)
    if (known !== undefined) return known
    this.#places.set(name, this.#names.length)
    return this.#names.push(name) - 1
  }

  #nameOf(place: string | undefined): string {
    return this.#names[Number(place)] ?? ''
  }
}

/** The id with its kind before it, so that the parts of one thing come together. */
const keyOf = (kind: SealedKind, id: string): string => `${KINDS[kind]}${id}`

const sealedOf = (key: string): { readonly kind: SealedKind; readonly entryId: string } => ({
  kind: key.startsWith(KINDS.audit) ? 'audit' : 'entry',
  entryId: key.slice(1),
})

const partsOf = (key: string): EntryParts => ({
  ...sealedOf(key),
  numbers: [],
  transfers: [],
  auditLines: [],
  isQueued: false,
})

const numberOf = (
  { kind, entryId }: EntryParts,
  [seq, sealNo, entryHash = '']: readonly string[],
): NumberedEntry => ({ kind, seq: Number(seq), sealNo: Number(sealNo), entryId, entryHash })

const auditLineOf = ([recordedAtUs = '0', hash = '']: readonly string[]): CheckedAuditLine => ({
  recordedAtUs: BigInt(recordedAtUs),
  hash,
})

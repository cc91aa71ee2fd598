import type { CheckedTransfer, EntrySum, NumberedEntry } from './verify-entry.js'

/** What is known of an entry by its id: its numbers, its transfers, whether it is queued. */
export interface EntryParts {
  readonly entryId: string
  readonly numbers: NumberedEntry[]
  readonly transfers: CheckedTransfer[]
  isQueued: boolean
}

const NUMBER = 'n'
const QUEUED = 'q'
const TRANSFER = 't'
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

  number({ entryId, seq, sealNo, entryHash }: NumberedEntry): string {
    return `${entryId}\t${NUMBER}\t${seq}\t${sealNo}\t${entryHash}`
  }

  queued(entryId: string): string {
    return `${entryId}\t${QUEUED}`
  }

  transfer(entryId: string, transfer: CheckedTransfer): string {
    const { rule, debit, credit, n, amountFen, recordedAtUs, hash, isIntact } = transfer
    const names = [rule, debit, credit].map((name) => this.#placeOf(name)).join('\t')
    const end = `${amountFen}\t${recordedAtUs}\t${hash}\t${isIntact ? YES : NO}`
    return `${entryId}\t${TRANSFER}\t${n}\t${names}\t${end}`
  }

  /** Puts together the parts of entries, which come one after another. */
  async *entries(batches: AsyncIterable<readonly string[]>): AsyncGenerator<EntryParts[]> {
    let open: EntryParts | undefined
    for await (const lines of batches) {
      const closed: EntryParts[] = []
      for (const line of lines) {
        const [entryId = '', kind, ...values] = line.split('\t')
        if (open?.entryId !== entryId) {
          if (open !== undefined) closed.push(open)
          open = { entryId, numbers: [], transfers: [], isQueued: false }
        }
        if (kind === NUMBER) open.numbers.push(numberOf(entryId, values))
        else if (kind === TRANSFER) open.transfers.push(this.#transferOf(values))
        else open.isQueued = true
      }
      yield closed
    }
    if (open !== undefined) yield [open]
  }

  sum(entry: EntrySum): string {
    const { seq, entryId, sealNo, entryHash, isSound, recordedFromUs, recordedToUs, sumFen } = entry
    const head = `${sortKey(seq)}\t${entryId}\t${seq}\t${sealNo}\t${entryHash}`
    const facts = `${isSound ? YES : NO}\t${recordedFromUs ?? ''}\t${recordedToUs ?? ''}\t${sumFen}`
    const legs = entry.legs.map((leg) => `${this.#placeOf(leg.account)}\t${leg.amountFen}`)
    return [head, facts, ...legs].join('\t')
  }

  sumOf(line: string): EntrySum {
    const [, entryId = '', seq, sealNo, entryHash = '', isSound, from, to, sumFen = '0', ...legs] =
      line.split('\t')
    return {
      seq: Number(seq),
      sealNo: Number(sealNo),
      entryId,
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

const numberOf = (entryId: string, [seq, sealNo, entryHash = '']: readonly string[]) => ({
  seq: Number(seq),
  sealNo: Number(sealNo),
  entryId,
  entryHash,
})

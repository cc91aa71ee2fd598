import type { EntrySum } from './verify-entry.js'

/** What was kept of a Beijing day: how far it goes, and the balances as of its last seal. */
export interface StoredDay {
  readonly day: string
  readonly sealNo: number
  readonly firstSeq: number
  readonly lastSeq: number
  readonly recordedFromUs: bigint
  readonly recordedToUs: bigint
  readonly balances: ReadonlyMap<string, bigint>
}

/** The balances of all accounts while entries come, to hold the kept ones to. */
export class RunningBalances {
  readonly #balances = new Map<string, bigint>()
  /** Of the entries since the day before. */
  #firstSeq = 1
  #recordedFromUs: bigint | undefined
  /** Of all entries. */
  #recordedToUs: bigint | undefined

  add({ kind, legs, recordedFromUs, recordedToUs }: EntrySum): void {
    if (kind !== 'entry') return
    for (const { account, amountFen } of legs) {
      this.#balances.set(account, (this.#balances.get(account) ?? 0n) + amountFen)
    }
    this.#recordedFromUs = least(this.#recordedFromUs, recordedFromUs)
    this.#recordedToUs = greatest(this.#recordedToUs, recordedToUs)
  }

  /** What is wrong with the kept day, by its row; the entries after it count as the next day's. */
  checkDay(
    day: StoredDay,
    seal: { readonly sealNo: number; readonly lastSeq: number } | undefined,
  ): string[] {
    const isRightStretch =
      day.sealNo === seal?.sealNo &&
      day.lastSeq === seal.lastSeq &&
      day.firstSeq === this.#firstSeq &&
      day.recordedFromUs === this.#recordedFromUs &&
      day.recordedToUs === this.#recordedToUs
    this.#firstSeq = day.lastSeq + 1
    this.#recordedFromUs = undefined
    const accounts = new Set([...this.#balances.keys(), ...day.balances.keys()])
    const wrong = [...accounts].filter((one) => this.#balances.get(one) !== day.balances.get(one))
    return [
      ...(isRightStretch ? [] : [`day ${day.day}`]),
      ...wrong.map((account) => `day ${day.day}, ${account}`),
    ]
  }
}

const least = (a: bigint | undefined, b: bigint | undefined): bigint | undefined =>
  a === undefined || (b !== undefined && b < a) ? b : a

const greatest = (a: bigint | undefined, b: bigint | undefined): bigint | undefined =>
  a === undefined || (b !== undefined && b > a) ? b : a

/** What may be wrong with a book, and what it means; docs/reference/sealing.md tells the same. */
export const FINDING_KINDS = {
  row_changed: 'a transfer, or a line of the audit log, was changed: it does not give its hash',
  row_added: 'a transfer was added to an entry that was sealed without it, or a line written twice',
  row_unsealed: 'a row was inserted behind the guards: no seal holds it and no queue knows it',
  row_waiting: 'a row waits for its seal for more than a minute',
  entry_changed: 'the transfers of an entry are not those that were sealed',
  entry_deleted: 'an entry, or a line of the audit log, was sealed and is not there any more',
  queue_wrong: 'a queue names what is not there, or is sealed',
  number_missing: 'a number of the book is missing: what was sealed was removed with it',
  number_wrong: 'a number stands twice, or names another seal than the one that holds it',
  number_unsealed: 'a number is in no seal: seals were removed from the end',
  order_wrong: 'entries of a seal stand in another order than they were sealed in',
  root_wrong: 'the entries of a seal are not those it was made over',
  sum_wrong: 'what the entries of a seal moved is not what the seal says',
  balance_wrong: 'the balance that was kept of a day is not that of the entries',
  seal_missing: 'a seal is missing',
  seal_changed: 'a seal was changed: its columns do not give its hash',
  chain_broken: 'a seal does not hold the hash of the one before it',
  key_unknown: 'a seal was signed with a key that is not trusted',
  signature_wrong: 'a seal was not signed with the key that it names',
  head_missing: 'the book does not hold the head that was kept elsewhere: its end was cut off',
} as const

export type FindingKind = keyof typeof FINDING_KINDS

export interface Finding {
  readonly kind: FindingKind
  /** The row by its key: an entry, a transfer, a line of the audit log, a number, a seal, a day. */
  readonly where: string
}

/** More are counted but not kept, so that a ruined book takes no more memory than a good one. */
const KEPT_MAX = 1_000

/** Collects what is wrong. */
export class Findings {
  readonly #kept: Finding[] = []
  #total = 0

  add(kind: FindingKind, where: string): void {
    this.#total += 1
    if (this.#kept.length < KEPT_MAX) this.#kept.push({ kind, where })
  }

  get total(): number {
    return this.#total
  }

  get kept(): readonly Finding[] {
    return this.#kept
  }
}

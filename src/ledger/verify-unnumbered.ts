import type { Findings } from './findings.js'
import { reportTransfer, transferName, type CheckedTransfer } from './verify-entry.js'

/** An entry is sealed within seconds; what waits for longer was hidden from the sealer. */
const PATIENCE_US = 60_000_000n

/** Checks what has no number: it waits for its seal, or does not belong to the book. */
export class UnnumberedCheck {
  readonly #takenAtUs: bigint
  readonly #findings: Findings
  #waiting = 0
  #lastEntryId = ''

  /** @param takenAtUs when the book was read, in microseconds since 1970. */
  constructor(takenAtUs: bigint, findings: Findings) {
    this.#takenAtUs = takenAtUs
    this.#findings = findings
  }

  /** Entries that wait as they should. */
  get waiting(): number {
    return this.#waiting
  }

  /** Adds a transfer of an entry without a number; those of one entry come together. */
  add(entryId: string, transfer: CheckedTransfer, isQueued: boolean): void {
    reportTransfer(entryId, transfer, this.#findings)
    if (!isQueued) this.#findings.add('row_unsealed', transferName(entryId, transfer))
    else if (this.#takenAtUs - transfer.recordedAtUs > PATIENCE_US) {
      this.#findings.add('row_waiting', transferName(entryId, transfer))
    }
    if (isQueued && entryId !== this.#lastEntryId) this.#waiting += 1
    this.#lastEntryId = entryId
  }

  /** Tells of an entry in the queue that has no transfers, or has its number already. */
  addWronglyQueued(entryId: string): void {
    this.#findings.add('queue_wrong', `entry ${entryId}`)
  }
}

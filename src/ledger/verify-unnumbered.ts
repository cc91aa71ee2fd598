import type { Findings } from './findings.js'
import type { CheckedAuditLine } from './verify-audit.js'
import {
  reportTransfer,
  sealedName,
  transferName,
  type CheckedTransfer,
  type SealedKind,
} from './verify-entry.js'

/** What was written is sealed within seconds; what waits for longer was hidden from the sealer. */
const PATIENCE_US = 60_000_000n

/** What waits for its seal as it should. */
export interface Waiting {
  readonly entries: number
  readonly auditLines: number
}

/** Checks what has no number: it waits for its seal, or does not belong to the book. */
export class UnnumberedCheck {
  readonly #takenAtUs: bigint
  readonly #findings: Findings
  #entries = 0
  #auditLines = 0
  #lastEntryId = ''

  /** @param takenAtUs when the book was read, in microseconds since 1970. */
  constructor(takenAtUs: bigint, findings: Findings) {
    this.#takenAtUs = takenAtUs
    this.#findings = findings
  }

  get waiting(): Waiting {
    return { entries: this.#entries, auditLines: this.#auditLines }
  }

  /** Adds a transfer of an entry without a number; those of one entry come together. */
  add(entryId: string, transfer: CheckedTransfer, isQueued: boolean): void {
    reportTransfer(entryId, transfer, this.#findings)
    this.#check(transferName(entryId, transfer), transfer, isQueued)
    if (isQueued && entryId !== this.#lastEntryId) this.#entries += 1
    this.#lastEntryId = entryId
  }

  /** Adds a line of the audit log without a number. */
  addAuditLine(id: string, line: CheckedAuditLine, isQueued: boolean): void {
    this.#check(sealedName('audit', id), line, isQueued)
    if (isQueued) this.#auditLines += 1
  }

  /** Tells of something in a queue that is nowhere else, or has its number already. */
  addWronglyQueued(kind: SealedKind, id: string): void {
    this.#findings.add('queue_wrong', sealedName(kind, id))
  }

  #check(name: string, { recordedAtUs }: CheckedAuditLine, isQueued: boolean): void {
    if (!isQueued) this.#findings.add('row_unsealed', name)
    else if (this.#takenAtUs - recordedAtUs > PATIENCE_US) this.#findings.add('row_waiting', name)
  }
}

import { canonicalText, sha256 } from './canonical.js'

/** A transfer as the text of its columns; instants in microseconds since 1970. */
export interface TransferText {
  readonly entryId: string
  readonly n: string
  readonly rule: string
  readonly debit: string
  readonly credit: string
  readonly amountFen: string
  readonly merchantId: string
  readonly causeKind: string
  readonly causeId: string
  readonly reverses: string | null
  readonly occurredAtUs: string
  readonly recordedAtUs: string
}

/** The hash of a transfer; the function `journal_row_hash` of the database computes the same. */
export const rowHash = (transfer: TransferText): Buffer =>
  sha256(
    canonicalText([
      transfer.entryId,
      transfer.n,
      transfer.rule,
      transfer.debit,
      transfer.credit,
      transfer.amountFen,
      transfer.merchantId,
      transfer.causeKind,
      transfer.causeId,
      transfer.reverses,
      transfer.occurredAtUs,
      transfer.recordedAtUs,
    ]),
  )

/** A line of the audit log as the text of its columns; instants in microseconds since 1970. */
export interface AuditText {
  readonly id: string
  readonly merchantId: string
  readonly atUs: string
  readonly actorKind: string
  readonly actorId: string
  readonly actingUser: string | null
  readonly action: string
  readonly subjectKind: string
  readonly subjectId: string | null
  /** JSON as the database writes it. */
  readonly detail: string
  readonly recordedAtUs: string
}

/** The hash of a line of the audit log; the function `audit_hash` of the database does the same. */
export const auditHash = (line: AuditText): Buffer =>
  sha256(
    canonicalText([
      'audit',
      line.id,
      line.merchantId,
      line.atUs,
      line.actorKind,
      line.actorId,
      line.actingUser,
      line.action,
      line.subjectKind,
      line.subjectId,
      line.detail,
      line.recordedAtUs,
    ]),
  )

/** The hash of an entry: over the hashes of its transfers, ordered by rule and n. */
export const entryHash = (rowHashes: readonly Buffer[]): Buffer => sha256(Buffer.concat(rowHashes))

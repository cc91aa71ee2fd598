import type { FindingKind, Findings } from './findings.js'
import { auditHash, type AuditText } from './row-hash.js'
import { entryName, type EntrySum, type NumberedEntry } from './verify-entry.js'

/** A line of the audit log; of the rest only what later checks need is kept. */
export interface CheckedAuditLine {
  readonly recordedAtUs: bigint
  /** The hash of its columns in hexadecimal digits. */
  readonly hash: string
}

export const checkAuditLine = (line: AuditText): CheckedAuditLine => ({
  recordedAtUs: BigInt(line.recordedAtUs),
  hash: auditHash(line).toString('hex'),
})

/** Holds a sealed line of the audit log, of which there is one, to the hash that was sealed. */
export function checkAuditEntry(
  entry: NumberedEntry,
  lines: readonly CheckedAuditLine[],
  findings: Findings,
): EntrySum {
  const kind = findingOf(entry, lines)
  if (kind !== undefined) findings.add(kind, entryName(entry))
  const recordedAtUs = lines[0]?.recordedAtUs
  return {
    ...entry,
    isSound: kind === undefined,
    recordedFromUs: recordedAtUs,
    recordedToUs: recordedAtUs,
    sumFen: 0n,
    legs: [],
  }
}

function findingOf(
  { entryHash }: NumberedEntry,
  lines: readonly CheckedAuditLine[],
): FindingKind | undefined {
  if (lines.length === 0) return 'entry_deleted'
  if (!lines.some(({ hash }) => hash === entryHash)) return 'row_changed'
  return lines.length > 1 ? 'row_added' : undefined
}

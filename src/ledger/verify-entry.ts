import type { Findings } from './findings.js'
import { entryHash, rowHash, type TransferText } from './row-hash.js'

/** A transfer as it stands in a database or a dump, with the hash that stands beside it. */
export interface StoredTransfer extends TransferText {
  readonly rowHash: string
}

/** A transfer that was held to its hash; of the rest only what later checks need is kept. */
export interface CheckedTransfer {
  readonly rule: string
  readonly n: number
  readonly debit: string
  readonly credit: string
  readonly amountFen: bigint
  readonly recordedAtUs: bigint
  /** The hash of its columns in hexadecimal digits. */
  readonly hash: string
  readonly isIntact: boolean
}

/** What has a number: an entry of the journal, or a line of the audit log. */
export type SealedKind = 'entry' | 'audit'

/** An entry, or a line of the audit log, by its number, as it was sealed. */
export interface NumberedEntry {
  readonly kind: SealedKind
  readonly seq: number
  readonly sealNo: number
  readonly entryId: string
  readonly entryHash: string
}

/** What an entry adds to the book; a line of the audit log adds no money. */
export interface EntrySum extends NumberedEntry {
  /** False when something was found wrong with it, which may explain what does not add up later. */
  readonly isSound: boolean
  /** Undefined for an entry that has lost its transfers. */
  readonly recordedFromUs: bigint | undefined
  readonly recordedToUs: bigint | undefined
  readonly sumFen: bigint
  /** What it adds to the balance of each account, transfer by transfer. */
  readonly legs: readonly { readonly account: string; readonly amountFen: bigint }[]
}

/** Computes a transfer's hash anew. */
export function checkTransfer(transfer: StoredTransfer): CheckedTransfer {
  const hash = rowHash(transfer).toString('hex')
  return {
    rule: transfer.rule,
    n: Number(transfer.n),
    debit: transfer.debit,
    credit: transfer.credit,
    amountFen: BigInt(transfer.amountFen),
    recordedAtUs: BigInt(transfer.recordedAtUs),
    hash,
    isIntact: hash === transfer.rowHash,
  }
}

/** Tells of a transfer that is not what its hash says. */
export function reportTransfer(
  entryId: string,
  transfer: Pick<CheckedTransfer, 'rule' | 'n' | 'isIntact'>,
  findings: Findings,
): void {
  if (!transfer.isIntact) findings.add('row_changed', transferName(entryId, transfer))
}

export const transferName = (
  entryId: string,
  { rule, n }: Pick<CheckedTransfer, 'rule' | 'n'>,
): string => `${sealedName('entry', entryId)}, transfer ${rule} ${n}`

export const sealedName = (kind: SealedKind, id: string): string =>
  `${kind === 'entry' ? 'entry' : 'audit line'} ${id}`

/** Holds the transfers of a sealed entry to their hashes and to the hash that was sealed. */
export function checkEntry(
  entry: NumberedEntry,
  unordered: readonly CheckedTransfer[],
  findings: Findings,
): EntrySum {
  const findingsBefore = findings.total
  const transfers = unordered.toSorted(byRuleAndNumber)
  for (const transfer of transfers) reportTransfer(entry.entryId, transfer, findings)
  if (transfers.length === 0) findings.add('entry_deleted', entryName(entry))
  else if (transfers.every(({ isIntact }) => isIntact)) reportEntry(entry, transfers, findings)
  const instants = transfers.map(({ recordedAtUs }) => recordedAtUs).toSorted(ascending)
  return {
    ...entry,
    isSound: findings.total === findingsBefore,
    recordedFromUs: instants[0],
    recordedToUs: instants.at(-1),
    sumFen: transfers.reduce((sum, { amountFen }) => sum + amountFen, 0n),
    legs: transfers.flatMap(({ debit, credit, amountFen }) => [
      { account: debit, amountFen },
      { account: credit, amountFen: -amountFen },
    ]),
  }
}

export const entryName = ({
  kind,
  seq,
  entryId,
}: Pick<NumberedEntry, 'kind' | 'seq' | 'entryId'>): string =>
  `number ${seq}, ${sealedName(kind, entryId)}`

function reportEntry(
  entry: NumberedEntry,
  transfers: readonly CheckedTransfer[],
  findings: Findings,
): void {
  if (hashOf(transfers) === entry.entryHash) return
  // Where leaving one out gives what was sealed, that one was not there.
  const added = transfers.find(
    (each) => hashOf(transfers.filter((other) => other !== each)) === entry.entryHash,
  )
  if (added === undefined) findings.add('entry_changed', entryName(entry))
  else findings.add('row_added', transferName(entry.entryId, added))
}

const hashOf = (transfers: readonly CheckedTransfer[]): string =>
  entryHash(transfers.map(({ hash }) => Buffer.from(hash, 'hex'))).toString('hex')

const ascending = (a: bigint, b: bigint): number => Number(a > b) - Number(a < b)

function byRuleAndNumber(a: CheckedTransfer, b: CheckedTransfer): number {
  if (a.rule !== b.rule) return a.rule < b.rule ? -1 : 1
  return a.n - b.n
}

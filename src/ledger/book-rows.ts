import type { TextRow } from '../db/snapshot.js'
import type { AuditText } from './row-hash.js'
import type { StoredSeal } from './verify-chain.js'
import type { StoredDay } from './verify-days.js'
import type { NumberedEntry, StoredTransfer } from './verify-entry.js'

/**
 * The tables that a check of the book needs, with their columns in the order in which the functions
 * below take them. The generated column is not among them.
 */
export const BOOK_TABLES = {
  seal_keys: ['key_id', 'public_key', 'first_used_at'],
  seals: [
    'seal_no',
    'first_seq',
    'last_seq',
    'entries',
    'sum_fen',
    'merkle_root',
    'prev_hash',
    'hash',
    'key_id',
    'signature',
    'sealed_at',
  ],
  journal_order: ['seq', 'seal_no', 'entry_id', 'entry_hash', 'kind'],
  journal_transfers: [
    'entry_id',
    'n',
    'rule',
    'debit',
    'credit',
    'amount_fen',
    'merchant_id',
    'cause_kind',
    'cause_id',
    'reverses',
    'occurred_at',
    'recorded_at',
    'row_hash',
  ],
  journal_unsealed: ['entry_id'],
  audit: [
    'id',
    'merchant_id',
    'at',
    'actor_kind',
    'actor_id',
    'acting_user',
    'action',
    'subject_kind',
    'subject_id',
    'detail',
    'recorded_at',
  ],
  audit_unsealed: ['id'],
  balance_days: ['day', 'seal_no', 'first_seq', 'last_seq', 'recorded_from', 'recorded_to'],
  balance_checkpoints: ['day', 'account', 'balance_fen'],
} as const

export type BookTable = keyof typeof BOOK_TABLES

/** The columns of a table for a query that gives each as text. */
export const textColumns = (table: BookTable, alias: string = table): string =>
  BOOK_TABLES[table].map((column) => `${alias}.${column}::text`).join(', ')

/** A value that is not what its column holds. */
export class RowError extends Error {
  override readonly name = 'RowError'
}

export function transferOf(row: TextRow): StoredTransfer {
  return {
    entryId: uuid(row[0]),
    n: integer(row[1]),
    rule: text(row[2]),
    debit: text(row[3]),
    credit: text(row[4]),
    amountFen: integer(row[5]),
    merchantId: text(row[6]),
    causeKind: text(row[7]),
    causeId: text(row[8]),
    reverses: row[9] ?? null,
    occurredAtUs: String(instantUs(row[10])),
    recordedAtUs: String(instantUs(row[11])),
    rowHash: hex(row[12]),
  }
}

export const auditTextOf = (row: TextRow): AuditText => ({
  id: uuid(row[0]),
  merchantId: text(row[1]),
  atUs: String(instantUs(row[2])),
  actorKind: text(row[3]),
  actorId: text(row[4]),
  actingUser: row[5] ?? null,
  action: text(row[6]),
  subjectKind: text(row[7]),
  subjectId: row[8] ?? null,
  detail: text(row[9]),
  recordedAtUs: String(instantUs(row[10])),
})

/** A row that does not say what its number was given to is from before the audit log was sealed. */
export const numberedEntryOf = (row: TextRow): NumberedEntry => ({
  seq: number(row[0]),
  sealNo: number(row[1]),
  entryId: uuid(row[2]),
  entryHash: hex(row[3]),
  kind: row[4] === 'audit' ? 'audit' : 'entry',
})

export const sealOf = (row: TextRow): StoredSeal => ({
  sealNo: number(row[0]),
  firstSeq: number(row[1]),
  lastSeq: number(row[2]),
  entries: number(row[3]),
  sumFen: BigInt(integer(row[4])),
  merkleRoot: bytes(row[5]),
  prevHash: bytes(row[6]),
  hash: bytes(row[7]),
  keyId: text(row[8]),
  signature: bytes(row[9]),
  sealedAtUs: instantUs(row[10]),
})

/** A day of `balance_days` with its rows of `balance_checkpoints`. */
export const dayOf = (row: TextRow, balances: readonly TextRow[]): StoredDay => ({
  day: text(row[0]),
  sealNo: number(row[1]),
  firstSeq: number(row[2]),
  lastSeq: number(row[3]),
  recordedFromUs: instantUs(row[4]),
  recordedToUs: instantUs(row[5]),
  balances: new Map(
    balances.map(balanceOf).map(({ account, balanceFen }) => [account, balanceFen]),
  ),
})

export const balanceOf = (row: TextRow) => ({
  day: text(row[0]),
  account: text(row[1]),
  balanceFen: BigInt(integer(row[2])),
})

export const keyOf = (row: TextRow) => ({ id: text(row[0]), publicKey: bytes(row[1]) })

type Value = string | null | undefined

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const INTEGER = /^-?\d{1,38}$/
const BYTES = /^\\x((?:[0-9a-f]{2})*)$/
const INSTANT =
  /^(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?([+-]\d\d)(?::?(\d\d))?$/

const text = (value: Value): string => value ?? refuse('null')

const matching =
  (pattern: RegExp) =>
  (value: Value): string =>
    value !== null && value !== undefined && pattern.test(value) ? value : refuse(value)

export const uuid = matching(UUID)
const integer = matching(INTEGER)

function number(value: Value): number {
  const read = Number(integer(value))
  return Number.isSafeInteger(read) ? read : refuse(value)
}

const hex = (value: Value): string => BYTES.exec(value ?? '')?.[1] ?? refuse(value)

const bytes = (value: Value): Buffer => Buffer.from(hex(value), 'hex')

const MICROSECONDS_PER_MINUTE = 60_000_000n

/** An instant in microseconds since 1970, whatever zone it is written in. */
export function instantUs(value: Value): bigint {
  const [, year, month, day, hour, minute, second, fraction = '', zoneHour = '', zoneMinute = '0'] =
    INSTANT.exec(value ?? '') ?? refuse(value)
  const [y, mo, d, h, mi, s] = [year, month, day, hour, minute, second].map(Number)
  const utcMs = Date.UTC(y ?? 0, (mo ?? 0) - 1, d, h, mi, s)
  const sign = zoneHour.startsWith('-') ? -1 : 1
  const offsetMinutes = 60 * Number(zoneHour) + sign * Number(zoneMinute)
  return (
    BigInt(utcMs) * 1_000n +
    BigInt(fraction.padEnd(6, '0')) -
    BigInt(offsetMinutes) * MICROSECONDS_PER_MINUTE
  )
}

function refuse(value: Value): never {
  throw new RowError(`the value ${JSON.stringify(value ?? null)} is not what its column holds`)
}

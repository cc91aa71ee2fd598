import type { FindingKind } from '../../../src/ledger/findings.js'
import type { VerifyOptions } from '../../../src/ledger/verify.js'

/** What somebody may do to a book whom nothing in the database stops. */
export interface Tampering {
  readonly what: string
  readonly statements: readonly string[]
  readonly found: readonly (readonly [FindingKind, string])[]
  /** What is known from outside, by the heads of the seals. */
  readonly options?: (heads: readonly Buffer[]) => VerifyOptions
}

export const sealedLine = (seq: number): string => `number ${seq}, audit line {${seq}}`
export const swap = (column: string, one: number, two: number): string => `update journal_order a
  set ${column} = b.${column} from journal_order b
  where (a.seq, b.seq) in ((${one}, ${two}), (${two}, ${one}))`
export const NEW_ID = "'0198c3a0-0000-7000-8000-000000000001'"
export const NEW = '0198c3a0-0000-7000-8000-000000000001'
export const noKeys = (table: string): string =>
  `alter table ${table} drop constraint ${table}_pkey cascade`

/** What removes the seals after one, with all that belongs to them. */
export function cutOff(lastNo: number): readonly string[] {
  const later = `select entry_id from journal_order where seal_no > ${lastNo}`
  return [
    `delete from journal_transfers where entry_id in (${later})`,
    `delete from audit where id in (${later})`,
    `delete from journal_order where seal_no > ${lastNo}`,
    `delete from balance_checkpoints where day in
      (select day from balance_days where seal_no > ${lastNo})`,
    `delete from balance_days where seal_no > ${lastNo}`,
    `delete from seals where seal_no > ${lastNo}`,
  ]
}

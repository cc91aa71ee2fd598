import type { Transfer } from '../../../src/ledger/postings.js'

/** Debits less credits of each account, added up here and not by the code under test. */
export function sumsOf(transfers: readonly Transfer[]): Map<string, number> {
  const sums = new Map<string, number>()
  const add = (account: string, amount: number): void => {
    sums.set(account, (sums.get(account) ?? 0) + amount)
  }
  for (const { debit, credit, amountFen } of transfers) {
    add(debit, amountFen)
    add(credit, 0 - amountFen)
  }
  return sums
}

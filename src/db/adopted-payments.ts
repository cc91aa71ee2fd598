import type { PaidFact } from '../domain/channel.js'
import { only, sql } from './pool.js'
import type { Transaction } from './transaction.js'

const ADOPT = sql(
  'payments_adopt',
  'select adopt_payment($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) as adopted',
)

/**
 * Inserts a payment as the channel says it was paid.
 * @returns false where its number or its transaction is known already
 */
export async function insertAdopted(
  tx: Transaction,
  adopted: {
    readonly id: string
    readonly accountId: string
    readonly description: string
    readonly fact: PaidFact
    readonly now: Date
  },
): Promise<boolean> {
  const { id, accountId, description, fact, now } = adopted
  const values = [
    id,
    accountId,
    fact.appId,
    fact.outTradeNo,
    description,
    fact.transactionId,
    fact.totalFen,
    fact.cashFen,
    fact.settlementFen,
    new Date(fact.paidAt),
    now,
  ]
  return only(await tx.lock('payment').rows<{ adopted: boolean }>(ADOPT, values)).adopted
}

import type { ChannelReason } from '../domain/channel.js'
import type { HoldReason } from '../domain/states.js'
import { sql, type Queryable } from './pool.js'
import type { Transaction } from './transaction.js'

/** What can be wrong with an account so that none of its refunds would be taken. */
export type AccountHoldReason = Extract<HoldReason, 'credentials' | 'balance'>

export interface AccountHold {
  readonly reason: AccountHoldReason
  readonly code: string
  readonly message: string
  readonly since: Date
  readonly nextProbeAt: Date
}

/** Refunds a second that an account may send, and that may fail. */
export interface RefundRates {
  readonly sends: number
  readonly failures: number
}

export interface GatedRefund {
  readonly merchantId: string
  readonly accountId: string
  /** Nothing was ever sent of it, so that the merchant's stop switch holds it too. */
  readonly isFirst: boolean
  readonly probeMs: number
  readonly rates: RefundRates
  readonly now: Date
}

export interface Held {
  readonly reason: AccountHoldReason | 'stopped' | 'rate'
  readonly until: Date
}

const PASS = sql(
  'channel_holds_pass',
  'select reason, until from pass_refund_gate($1, $2, $3, $4, $5, $6, $7)',
)

/**
 * Asks, as the last step before a refund is sent, whether it may be; where nothing holds it the
 * place is taken. Locks what belongs to the account, which comes after its refunds.
 */
export async function passRefundGate(
  tx: Transaction,
  refund: GatedRefund,
): Promise<Held | undefined> {
  const { merchantId, accountId, isFirst, probeMs, rates, now } = refund
  const values = [merchantId, accountId, isFirst, probeMs, rates.sends, rates.failures, now]
  return (await tx.lock('account').rows<Held>(PASS, values))[0]
}

const HOLD = sql(
  'channel_holds_hold',
  `insert into channel_holds (account_id, reason, code, message, since, next_probe_at)
   values ($1, $2, $3, $4, $5, $6)
   on conflict (account_id, reason) do update
     set code = excluded.code, message = excluded.message,
       next_probe_at = greatest(channel_holds.next_probe_at, excluded.next_probe_at)`,
)

/** Holds the refunds of an account that were not taken yet, until a probe gets through. */
export function holdAccount(
  tx: Transaction,
  hold: {
    readonly accountId: string
    readonly reason: AccountHoldReason
    readonly said: ChannelReason
    readonly now: Date
    readonly nextProbeAt: Date
  },
): void {
  const { accountId, reason, said, now, nextProbeAt } = hold
  const values = [accountId, reason, said.code, said.message, now, nextProbeAt]
  tx.lock('account').send(HOLD, values)
}

const RELEASE = sql(
  'channel_holds_release',
  `with ended as (
     select account_id, reason from channel_holds
     where account_id = $1 and reason = any($2::text[]) order by reason for update
   )
   delete from channel_holds h using ended e
   where h.account_id = e.account_id and h.reason = e.reason`,
)

/** Ends holds of an account; a loop then wakes what they held, in order. */
export function releaseAccount(
  tx: Transaction,
  accountId: string,
  reasons: readonly AccountHoldReason[],
): void {
  tx.lock('account').send(RELEASE, [accountId, reasons])
}

const COUNT_FAILURE = sql(
  'channel_holds_count_failure',
  `update refund_buckets
   set sends = refilled(sends, $2, filled_at, $4),
     failures = refilled(failures, $3, filled_at, $4) - 1,
     filled_at = greatest(filled_at, $4)
   where account_id = $1`,
)

/** Counts a refund that the channel did not take: of those it allows far fewer. */
export function countFailedRefund(
  tx: Transaction,
  accountId: string,
  rates: RefundRates,
  now: Date,
): void {
  const values = [accountId, rates.sends, rates.failures, now]
  tx.lock('account').send(COUNT_FAILURE, values)
}

const OF_ACCOUNT = sql(
  'channel_holds_of_account',
  `select reason, code, message, since, next_probe_at as "nextProbeAt" from channel_holds
   where account_id = $1 order by reason`,
)

export async function holdsOfAccount(db: Queryable, accountId: string): Promise<AccountHold[]> {
  return db.rows<AccountHold>(OF_ACCOUNT, [accountId])
}

import { insertAdopted } from '../db/adopted-payments.js'
import { bookExternalRefunds } from '../db/external-refunds.js'
import { newId } from '../db/ids.js'
import { storeFact } from '../db/inbox.js'
import { inTransaction, type Transaction } from '../db/transaction.js'
import { isAdoptable, type AdoptedOutcome, type Adoption } from '../domain/adoption.js'
import type { CallOptions, PaidFact, RefundFact } from '../domain/channel.js'
import { failPoints } from '../domain/fail-points.js'
import { refundFactKey } from '../domain/refund.js'
import { postPaid } from '../ledger/postings.js'
import { recordChange } from '../ledger/record.js'
import { callChannel } from './channel-call.js'
import type { ActivityDependencies, OpenAccount } from './dependencies.js'
import { paymentChange } from './payment-record.js'

const AT = failPoints('adoptPayment', ['queryOrder', 'listRefunds', 'book'])

const DESCRIPTION = '接管的支付单'

/** What the channel says of an order that is to be taken over. */
type Shown =
  | { readonly kind: 'paid'; readonly fact: PaidFact; readonly refunds: readonly RefundFact[] }
  | { readonly kind: 'not_paid' | 'unknown' }

/**
 * Takes over a payment that was made before this engine. Only what the channel answers is booked:
 * the payment, and every refund it already has, in one transaction.
 */
export function createAdoptPayment({ database, clock, openAccount }: ActivityDependencies) {
  return async function adoptPayment(adoption: Adoption): Promise<AdoptedOutcome> {
    const open = await openAccount(adoption.accountId)
    const shown = await callChannel((signal) => ask(open, adoption, { signal, urgency: 'waiting' }))
    if (shown.kind !== 'paid') return { outcome: shown.kind }
    const { mchId } = open.account
    const own = { mchId, appId: adoption.order.appId }
    if (!isAdoptable(shown.fact, own)) return { outcome: 'not_adoptable' }
    const now = clock.now()
    return AT.book(() =>
      inTransaction(database, (tx) => book(tx, adoption, open, { ...shown, now })),
    )
  }
}

async function ask(
  { channel }: OpenAccount,
  { order }: Adoption,
  options: CallOptions,
): Promise<Shown> {
  const fact = await AT.queryOrder(() => channel.queryOrder(order, options))
  if (fact.kind === 'refused' || fact.kind === 'unknown') return { kind: 'unknown' }
  if (fact.kind !== 'paid') return { kind: 'not_paid' }
  const { appId, outTradeNo } = fact
  const listed = await AT.listRefunds(() => channel.listRefunds({ appId, outTradeNo }, options))
  if (listed.kind !== 'refunds') return { kind: 'unknown' }
  return { kind: 'paid', fact, refunds: listed.refunds }
}

interface Booking {
  readonly fact: PaidFact
  readonly refunds: readonly RefundFact[]
  readonly now: Date
}

async function book(
  tx: Transaction,
  { accountId, principalId }: Adoption,
  { account }: OpenAccount,
  { fact, refunds, now }: Booking,
): Promise<AdoptedOutcome> {
  const id = newId(now)
  const row = { id, accountId, description: DESCRIPTION, fact, now }
  if (!(await insertAdopted(tx, row))) return { outcome: 'known' }
  const { merchantId } = account
  const { mchId, outTradeNo, transactionId, totalFen: paidFen } = fact
  const facts = { state: 'paid', origin: 'adopted', paidFen, transactionId }
  const parties = { accountId, merchantId }
  await recordChange(
    tx,
    paymentChange(
      { id, merchantId, mchId, outTradeNo },
      {
        type: 'payment.adopted',
        actor: { actorKind: 'api_key', actorId: principalId, actingUser: null },
        facts,
        transfers: postPaid(parties, fact.totalFen, fact.settlementFen),
        occurredAt: new Date(fact.paidAt),
        now,
      },
    ),
  )
  await bookRefunds(tx, { accountId, paymentId: id }, refunds, now)
  return { outcome: 'adopted', paymentId: id }
}

/**
 * A refund that is over is booked as such. One that is on its way is told to its workflow by the
 * loop that sends again what nobody applied, and is asked for from then on.
 */
async function bookRefunds(
  tx: Transaction,
  { accountId, paymentId }: { readonly accountId: string; readonly paymentId: string },
  refunds: readonly RefundFact[],
  now: Date,
): Promise<void> {
  const outcomes = await bookExternalRefunds(
    tx,
    refunds.map((fact) => ({ paymentId, fact, now })),
  )
  for (const [index, fact] of refunds.entries()) {
    const booked = outcomes[index]
    if (booked?.outcome !== 'booked' || booked.state === 'done') continue
    await storeFact(tx, {
      id: newId(now),
      accountId,
      kind: 'refund',
      businessKey: refundFactKey(fact.outRefundNo, fact.status, 'query'),
      subjectId: booked.refundId,
      source: 'query',
      verifiedBy: 'query',
      fact,
      now,
    })
  }
}

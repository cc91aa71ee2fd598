import type { ApiKeyRow } from '../../db/api-keys.js'
import { markFactsSignalled, outcomeOfFact } from '../../db/inbox.js'
import { storePaymentFact } from '../../db/payment-facts.js'
import { findPayment, type PaymentRow } from '../../db/payments.js'
import { CodedError } from '../../domain/errors.js'
import { paymentFactKey, type HeldResolution, type ResolveFact } from '../../domain/payment.js'
import type { ApiContext } from '../context.js'
import { existing } from '../existing.js'
import { findOwnPayment } from './find-own.js'

/** How long a caller waits for the workflow to take note of a decision. */
const APPLYING_TIMEOUT_MS = 5_000

export interface ResolveCall {
  readonly client: ApiKeyRow
  readonly paymentId: string
  readonly as: HeldResolution
  readonly actingUser: string
  readonly reason: string
}

/** The payment as it stands, and whether the decision is still to be applied. */
export interface ResolvedPayment {
  readonly payment: PaymentRow
  readonly late: boolean
}

/** What a caller is told where a decision changed nothing. */
const REFUSALS: Readonly<Record<string, 'payment_not_held' | 'order_ref_open'>> = {
  already_decided: 'payment_not_held',
  unacceptable: 'payment_not_held',
  order_paid: 'order_ref_open',
}

/**
 * Records what a person makes of held money, tells the payment's workflow, and waits until it is
 * applied. Deciding the same again is told what stands.
 * @throws CodedError `not_found`, `payment_not_held`, `order_ref_open` when the order is paid by
 *   another payment
 */
export async function resolvePayment(
  context: ApiContext,
  call: ResolveCall,
): Promise<ResolvedPayment> {
  const found = await findOwnPayment(context.db, call.client, call.paymentId)
  const wanted = call.as === 'accept' ? 'accepted' : 'surplus'
  const fact = factOf(call)
  if (found.disposition !== 'held') return standing(context, found, fact, wanted)
  const { db, clock } = context
  const told = { source: 'manual', verifiedBy: 'api_key', now: clock.now() } as const
  const { id } = await storePaymentFact(db, found, fact, told)
  const outcome = await tell(context, found, id)
  if (outcome === undefined) return { payment: found, late: true }
  const code = REFUSALS[outcome]
  if (code !== undefined) throw new CodedError(code)
  return { payment: existing(await findPayment(context.db, found.id)), late: false }
}

const factOf = ({ as, client, actingUser, reason }: ResolveCall): ResolveFact => ({
  kind: 'resolve',
  as,
  principalId: client.id,
  actingUser,
  reason,
})

/** Money that was decided about so before is told as it stands; any other was never held. */
async function standing(
  { db }: ApiContext,
  payment: PaymentRow,
  fact: ResolveFact,
  wanted: 'accepted' | 'surplus',
): Promise<ResolvedPayment> {
  const key = paymentFactKey(payment.outTradeNo, fact)
  const outcome = await outcomeOfFact(db, payment.accountId, key)
  if (outcome !== wanted) throw new CodedError('payment_not_held')
  return { payment, late: false }
}

/** What the decision did, or undefined while it is not applied: its row stands and will be. */
async function tell(
  context: ApiContext,
  payment: PaymentRow,
  factId: string,
): Promise<string | undefined> {
  const { db, engine, gate, clock, facts } = context
  try {
    await gate.run(() => engine.paymentFact(payment, factId))
    await markFactsSignalled(db, [factId], clock.now())
  } catch (error) {
    // The row stands; the redelivery loop tells it to the workflow when the engine is back.
    if (!(error instanceof CodedError)) throw error
    return undefined
  }
  return facts.wait(factId, APPLYING_TIMEOUT_MS)
}

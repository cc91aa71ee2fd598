import { randomUUID } from 'node:crypto'
import type { ApiKeyRow } from '../../db/api-keys.js'
import { findPayment, type PaymentRow } from '../../db/payments.js'
import { CodedError } from '../../domain/errors.js'
import type { AskResult } from '../../workflows/messages.js'
import type { ApiContext } from '../context.js'
import { existing } from '../existing.js'
import { findOwnPayment } from './find-own.js'

/** How long a caller waits for the channel's word. */
const ASKING_TIMEOUT_MS = 8_000

export interface AskCall {
  readonly client: ApiKeyRow
  readonly paymentId: string
}

/** A payment as it stands after the channel was asked, and what that said. */
export interface AskedPayment {
  readonly payment: PaymentRow
  readonly said: AskResult['said']
  readonly askedAt: Date
}

/**
 * Asks the channel about a payment now; what it says is booked before this returns.
 * @throws CodedError `not_found`, `channel_unavailable` when it did not say, `engine_unavailable`
 */
export async function queryPayment(context: ApiContext, call: AskCall): Promise<AskedPayment> {
  const found = await findOwnPayment(context.db, call.client, call.paymentId)
  return ask(context, found, 'query')
}

/**
 * Closes an order that is not paid: the channel is asked, and told, and only its word counts.
 * Closing what is closed is done already.
 * @throws CodedError `payment_paid`, `payment_being_paid`, `payment_being_placed`,
 *   `payment_not_open`, and those of asking
 */
export async function closePayment(context: ApiContext, call: AskCall): Promise<PaymentRow> {
  const found = await findOwnPayment(context.db, call.client, call.paymentId)
  if (found.state === 'closed') return found
  refuseOver(found)
  const { payment, said } = await ask(context, found, 'close')
  if (payment.state === 'closed') return payment
  refuseOver(payment)
  if (said === 'paying') throw new CodedError('payment_being_paid')
  if (said === 'not_exist') throw new CodedError('payment_being_placed')
  throw new CodedError('channel_unavailable')
}

function refuseOver({ state }: PaymentRow): void {
  if (state === 'paid') throw new CodedError('payment_paid')
  if (state === 'failed') throw new CodedError('payment_not_open', { state })
}

async function ask(
  { engine, gate, db, clock }: ApiContext,
  found: PaymentRow,
  purpose: 'query' | 'close',
): Promise<AskedPayment> {
  // An id of its own: who asks twice gets two answers.
  const asking = { purpose, updateId: `ask-${randomUUID()}`, timeoutMs: ASKING_TIMEOUT_MS }
  const said = await gate.run(() => engine.askPayment(found, asking))
  if (said === 'late' || said === 'unknown') throw new CodedError('channel_unavailable')
  return { payment: existing(await findPayment(db, found.id)), said, askedAt: clock.now() }
}

import { randomBytes } from 'node:crypto'

import type { RefundAnswer } from '../../support/api-client.js'
import { eventually, type Stack } from '../../support/stack.js'

/** The shortest way through some fail points, on a system of its own; it ends at rest. */
export interface Way {
  readonly name: string
  /** Which fail points it is there for; `owner.` stands for all of that owner's. */
  readonly through: readonly string[]
  /** Walks it, whoever dies meanwhile. @returns the payment it was about */
  readonly walk: (stack: Stack) => Promise<string>
}

/**
 * Patience for whatever a dead worker was in the middle of: Temporal notices after 10 to 12 s, and
 * tries again after up to 30 s more.
 */
const PATIENCE_MS = 180_000
/** Many lanes look at once, and most of what they wait for takes seconds. */
const LOOK_EVERY_MS = 500
const TOTAL_FEN = 10_000
const REFUND_FEN = 300
const DAY_S = 86_400

export interface Placed {
  readonly id: string
  readonly outTradeNo: string
}

export const until = <T>(look: () => Promise<T | undefined | false | null>): Promise<T> =>
  eventually(look, PATIENCE_MS, LOOK_EVERY_MS)

export const newNumber = (): string => `CRASH${randomBytes(8).toString('hex')}`

/** Places an order, and asks again as a caller does who got no answer. */
export async function place(stack: Stack, body: object = {}): Promise<Placed> {
  const outTradeNo = newNumber()
  const order = { amountFen: TOTAL_FEN, outTradeNo, expiresInSeconds: DAY_S, ...body }
  const { id } = await until(async () => {
    const answer = await stack.requester.createPayment(order, outTradeNo)
    return answer.status === 201 && answer.body
  })
  return { id, outTradeNo }
}

export const pay = (stack: Stack, outTradeNo: string, late = false): Promise<unknown> =>
  stack.sandbox.control.pay({ mchId: stack.merchant.mchId, outTradeNo, late })

/** Has nothing tell of it: whoever wants to know has to ask. */
export async function loseNotifications(
  { sandbox }: Stack,
  call: 'notify_payment' | 'notify_refund',
  outTradeNo: string,
): Promise<void> {
  await sandbox.control.armFaults([{ match: { call, outTradeNo }, fault: 'lost', times: 1_000 }])
}

export const paymentIs = (stack: Stack, id: string, state: string) =>
  until(async () => {
    const { body } = await stack.requester.payment(id)
    return body.state === state && body
  })

export async function paid(stack: Stack): Promise<Placed> {
  const placed = await place(stack)
  await pay(stack, placed.outTradeNo)
  await paymentIs(stack, placed.id, 'paid')
  return placed
}

export const refundIs = (stack: Stack, id: string, isSo: (refund: RefundAnswer) => boolean) =>
  until(async () => {
    const { body } = await stack.requester.refund(id)
    return isSo(body) && body
  })

export const refundDone = (stack: Stack, id: string) =>
  refundIs(stack, id, ({ state }) => state === 'done')

/** A paid payment and a refund of a part of it that waits to be decided about. */
export async function pending(stack: Stack): Promise<{ payment: Placed; refund: RefundAnswer }> {
  const payment = await paid(stack)
  await loseNotifications(stack, 'notify_refund', payment.outTradeNo)
  const asked = { paymentId: payment.id, amountFen: REFUND_FEN }
  const { body } = await stack.requester.requestRefund(asked)
  return { payment, refund: body }
}

/** Lets a refund go and have the channel take it; nothing but a question tells how it ends. */
export async function approved(stack: Stack): Promise<{ payment: Placed; refund: RefundAnswer }> {
  const asked = await pending(stack)
  await stack.approver.decide(asked.refund.id, 'approve')
  return asked
}

/** A refund to a card that takes no money: the channel gave up, and a person has to look. */
export async function stuck(stack: Stack): Promise<{ payment: Placed; refund: RefundAnswer }> {
  const asked = await pending(stack)
  const { mchId } = stack.merchant
  const { outTradeNo } = asked.payment
  await stack.sandbox.control.setCard({ mchId, outTradeNo, frozen: true })
  await stack.approver.decide(asked.refund.id, 'approve')
  await refundIs(stack, asked.refund.id, ({ state }) => state === 'needs_attention')
  return asked
}

/** One that is stuck for hours, so that only the loop still asks for it. */
export async function parked(stack: Stack): Promise<{ payment: Placed; refund: RefundAnswer }> {
  const asked = await stuck(stack)
  const { id } = asked.refund
  await look(
    stack,
    `update refunds set last_submitted_at = now() - interval '2 hours' where id = $1`,
    id,
  )
  await until(async () => {
    const [row] = await look<{ slow: boolean }>(
      stack,
      'select slow_at is not null and due_at is not null as slow from refunds where id = $1',
      id,
    )
    return row?.slow
  })
  return asked
}

/** The card takes it after all; nobody is told. */
export const thaw = (stack: Stack, { outRefundNo }: RefundAnswer): Promise<unknown> =>
  stack.sandbox.control.resolve({ mchId: stack.merchant.mchId, outRefundNo })

/** Runs a statement as the owner. */
export const look = <Row>(stack: Stack, text: string, ...values: unknown[]): Promise<Row[]> =>
  stack.owner.rows<Row>({ text }, values)

export async function accountOf(stack: Stack): Promise<{ id: string; notifyToken: string }> {
  const [account] = await look<{ id: string; notifyToken: string }>(
    stack,
    'select id, notify_token as "notifyToken" from channel_accounts',
  )
  if (account === undefined) throw new Error('The stack has one account.')
  return account
}

export async function approverId(stack: Stack): Promise<string> {
  const [key] = await look<{ id: string }>(stack, `select id from api_keys where name = 'office'`)
  return key?.id ?? ''
}

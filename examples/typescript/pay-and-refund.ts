/**
 * Takes a payment, gives it back, and reads the truth, with the typed client:
 *   node --import tsx examples/typescript/pay-and-refund.ts [openid]
 * YUANLU_URL, YUANLU_KEY (asks) and YUANLU_APPROVER_KEY (decides) say where and as whom.
 */
import { randomUUID } from 'node:crypto'
import { env, argv } from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'

import { createYuanluClient } from '../../clients/typescript/client.js'

const baseUrl = env['YUANLU_URL'] ?? ''
const asker = createYuanluClient({ baseUrl, key: env['YUANLU_KEY'] ?? '' })
const approver = createYuanluClient({ baseUrl, key: env['YUANLU_APPROVER_KEY'] ?? '' })
const openid = argv[2] ?? 'oUpF8uMuAJO2pxb1Q9zNjWeS6o'

/** The good answer. @throws Error with the problem document of a refusal */
async function good<T>(reply: Promise<{ data?: T; error?: unknown }>): Promise<T> {
  const { data, error } = await reply
  if (data === undefined) throw new Error(JSON.stringify(error))
  return data
}

/** Asks once a second, for two minutes at most. */
async function until(isTrue: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 120; tries += 1) {
    if (await isTrue()) return
    await sleep(1_000)
  }
  throw new Error('It did not happen in two minutes.')
}

// The key makes this safe to send again: whatever was lost on the way, there is one payment.
const order = `order-${randomUUID()}`
const once = (key: string) => ({ header: { 'idempotency-key': key } })
const wanted = { amountFen: 100, description: 'A cup of tea', openid, orderRef: order }
const payment = await good(asker.POST('/v1/payments', { params: once(order), body: wanted }))
console.log(`payment ${payment.id} waits for the buyer`)
const ofPayment = { params: { path: { id: payment.id } } }
const truth = () => good(asker.GET('/v1/payments/{id}', ofPayment))
await until(async () => (await truth()).state === 'paid')

const asked = { paymentId: payment.id, amountFen: 100, reason: 'Cold tea', actingUser: 'li.na' }
const refund = await good(
  asker.POST('/v1/refunds', { params: once(`${order}-refund`), body: asked }),
)
console.log(`refund ${refund.id} waits for somebody else`)
const ofRefund = { params: { path: { id: refund.id } } }
const decision = { actingUser: 'wang.wei', reason: 'It was cold.' }
await good(approver.POST('/v1/refunds/{id}/approve', { ...ofRefund, body: decision }))
// Approved is not refunded, and neither is accepted: done is.
await until(async () => (await good(asker.GET('/v1/refunds/{id}', ofRefund))).state === 'done')
console.log(`refunded ${(await truth()).refundedFen} fen`)

import { addKey, addMerchant } from '../../../src/cli/merchants.js'
import { openCase } from '../../../src/db/cases.js'
import { markClosed } from '../../../src/db/payments.js'
import { changeRefund } from '../../../src/db/refunds.js'
import { inTransaction } from '../../../src/db/transaction.js'
import type { CaseKind } from '../../../src/domain/cases.js'
import { paidFields, signedXml } from '../paid-notification.js'
import { refundedFields, sealedXml } from '../refund-notification.js'
import {
  MERCHANT,
  onceKey,
  ORDER,
  paidPayment,
  send,
  type ServerUnderTest,
} from '../server-under-test.js'
import { applyDecision } from './apply-decision.js'
import type { Client, Standing } from './bad-input.js'

const REFUNDS_MAX = 50

export type Keys = Readonly<Record<Exclude<Client, 'none'>, string>>

/** The API keys that requests bear. */
export async function standingKeys(server: ServerUnderTest): Promise<Keys> {
  const scopes = ['merchants:write', 'webhooks:read', 'webhooks:write']
  const head = await addKey(server.owner, { merchantId: MERCHANT.id, name: 'head', scopes })
  return { ...server.keys, head: head.key, live: await keyOfOther(server, 'live-house', 'live') }
}

/** Puts into the book what the requests are about. */
export async function setUpStanding(server: ServerUnderTest, keys: Keys): Promise<Standing> {
  const paid = await paidPayment(server, 1_000)
  const open = await create(server, 'used-key', { orderRef: 'open-order' })
  const closed = await create(server, onceKey(), {})
  await inTransaction(server.worker, (tx) => markClosed(tx, closed.id, new Date()))
  const held = await paidPayment(server, 700, 'held')
  const fifty = await paidPayment(server, 1_000)
  for (let n = 0; n < REFUNDS_MAX; n += 1) await ask(server, fifty.id)
  const pending = await paidPayment(server, 1_000)
  return {
    paidId: paid.id,
    paidOutTradeNo: paid.outTradeNo,
    openId: open.id,
    openOutTradeNo: open.outTradeNo,
    closedId: closed.id,
    heldId: held.id,
    heldCaseId: await openedCase(server, 'payment_held', held.id),
    resolvedCaseId: await resolvedCase(server, paid.id),
    fiftyId: fifty.id,
    pendingRefundId: await ask(server, pending.id),
    pendingRefundPaymentId: pending.id,
    rejectedRefundId: await rejectedRefund(server),
    stuckRefundId: await stuckRefund(server),
    foreignId: await foreignPayment(server),
    accountId: server.merchant.accountId,
    endpointId: await switchedOffEndpoint(server, keys.head),
    notifyToken: server.merchant.notifyToken,
    signed: (changes, key) => signedXml({ ...paidFields(open.outTradeNo), ...changes }, key),
    sealed: (changes, key) =>
      sealedXml({ ...refundedFields('R000000000000', 'P000000'), ...changes }, key),
  }
}

interface Created {
  readonly id: string
  readonly outTradeNo: string
}

async function create(
  server: ServerUnderTest,
  idempotencyKey: string,
  change: object,
  key?: string,
): Promise<Created> {
  const sent = { idempotencyKey, body: { ...ORDER, ...change }, key }
  return (await send(server, 'POST /v1/payments', sent)).json<Created>()
}

async function ask(server: ServerUnderTest, paymentId: string): Promise<string> {
  const body = { paymentId, amountFen: 1, reason: 'r', actingUser: 'li.na' }
  const asked = await send(server, 'POST /v1/refunds', { idempotencyKey: onceKey(), body })
  return asked.json<Created>().id
}

async function rejectedRefund(server: ServerUnderTest): Promise<string> {
  const id = await ask(server, (await paidPayment(server)).id)
  server.engine.onDecision = (decisionId) => applyDecision(server.worker, decisionId)
  const body = { actingUser: 'wang.wei', reason: 'seen' }
  await send(server, `POST /v1/refunds/${id}/reject`, { key: server.keys.approver, body })
  server.engine.onDecision = async () => undefined
  return id
}

async function stuckRefund(server: ServerUnderTest): Promise<string> {
  const id = await ask(server, (await paidPayment(server)).id)
  const now = new Date()
  const sent = { firstSubmittedAt: now, lastSubmittedAt: now }
  for (const change of [
    { state: 'approved' },
    { state: 'refunding', cause: 'submitting', ...sent },
    { state: 'needs_attention', cause: 'abnormal' },
  ] as const) {
    await inTransaction(server.worker, (tx) => changeRefund(tx, id, change, now))
  }
  return id
}

async function openedCase(
  { worker }: ServerUnderTest,
  kind: CaseKind,
  paymentId: string,
): Promise<string> {
  const about = { kind, merchantId: MERCHANT.id, paymentId, causeId: paymentId } as const
  const opened = { ...about, causeKind: 'payment', amountFen: 1, detail: {} } as const
  const id = await inTransaction(worker, (tx) => openCase(tx, { ...opened, now: new Date() }))
  return id ?? ''
}

async function resolvedCase(server: ServerUnderTest, paymentId: string): Promise<string> {
  const id = await openedCase(server, 'refund_after_end', paymentId)
  const body = { actingUser: 'wang.wei', note: 'seen' }
  await send(server, `POST /v1/cases/${id}/resolve`, { key: server.keys.approver, body })
  return id
}

async function switchedOffEndpoint(server: ServerUnderTest, key: string): Promise<string> {
  const body = { url: 'https://shop.example.com/hook', livemode: false }
  const added = await send(server, 'POST /v1/webhook-endpoints', { key, body })
  const { id } = added.json<{ id: string }>()
  await server.app.inject({
    method: 'PATCH',
    url: `/v1/webhook-endpoints/${id}`,
    headers: { authorization: `Bearer ${key}` },
    payload: { enabled: false },
  })
  return id
}

async function foreignPayment(server: ServerUnderTest): Promise<string> {
  const key = await keyOfOther(server, 'other-house', 'sandbox')
  return (await create(server, onceKey(), {}, key)).id
}

/** A key of another merchant, whose account is of this mode. */
async function keyOfOther(
  { owner, envelope }: ServerUnderTest,
  merchantId: string,
  mode: 'live' | 'sandbox',
): Promise<string> {
  const mchId = mode === 'live' ? '1900000333' : '1900000222'
  const account = { ...MERCHANT.account, mode, mchId }
  await addMerchant(owner, envelope, { ...MERCHANT, id: merchantId, account })
  return (await addKey(owner, { merchantId, name: 'x', scopes: ['payments:write'] })).key
}

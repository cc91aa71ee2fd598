import { newId } from '../../db/ids.js'
import {
  storeNotification,
  storePaymentNotification,
  type RawMessage,
} from '../../db/inbox-bodies.js'
import type { NewFact, StoredFact } from '../../db/inbox.js'
import { findPayment, findPaymentByNumber } from '../../db/payments.js'
import { findRefundByNumber } from '../../db/refunds.js'
import type { RefundNotice } from '../../domain/channel.js'
import { paymentFactKey } from '../../domain/payment.js'
import { refundFactKey } from '../../domain/refund.js'
import { readPaymentNotification, readRefundNotification } from '../../wechat/channel.js'
import type { KeyedAccount } from '../account-book.js'
import type { ApiContext } from '../context.js'
import { existing } from '../existing.js'

export type NotificationKind = 'payment' | 'refund'

/** Why nothing was stored, beside the reasons that reading the message gives. */
type OwnRefusal = 'unknown_number' | 'foreign_app'

export type Received =
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'duplicate' }
  /** Stored; `deliver` tells the workflow and is for after the answer. */
  | { readonly kind: 'stored'; readonly deliver: () => Promise<void> }

const refused = (reason: OwnRefusal): Received => ({ kind: 'refused', reason })

/**
 * Verifies a notification of one account from its raw bytes and stores what it says as one row,
 * with the bytes beside it. Nothing is judged here: the workflow applies the row, and holds money
 * that does not match.
 */
export async function receiveNotification(
  context: ApiContext,
  kind: NotificationKind,
  keyed: KeyedAccount,
  raw: RawMessage,
): Promise<Received> {
  const receive = kind === 'payment' ? receivePayment : receiveRefund
  return receive(context, keyed, raw)
}

async function receivePayment(
  context: ApiContext,
  { account, apiV2Keys }: KeyedAccount,
  raw: RawMessage,
): Promise<Received> {
  const { mchId, appIds } = account
  const fact = readPaymentNotification(raw.body, { mchId, appIds, apiKeys: apiV2Keys })
  if (fact.kind === 'refused') return fact
  const { db, envelope, clock, engine } = context
  const now = clock.now()
  const payment = await storePaymentNotification(
    db,
    envelope,
    {
      id: newId(now),
      accountId: account.id,
      outTradeNo: fact.outTradeNo,
      appId: fact.appId,
      businessKey: paymentFactKey(fact.outTradeNo, fact),
      fact,
      now,
    },
    raw,
  )
  if (payment === undefined) return refused('unknown_number')
  const { inboxId, applied } = payment
  if (inboxId === null) return refused('foreign_app')
  return received(context, { id: inboxId, applied }, () => engine.paymentFact(payment, inboxId))
}

async function receiveRefund(
  context: ApiContext,
  { account, apiV2Keys }: KeyedAccount,
  raw: RawMessage,
): Promise<Received> {
  const { mchId, appIds } = account
  const notice = readRefundNotification(raw.body, { mchId, appIds, apiKeys: apiV2Keys })
  if (!('status' in notice)) return notice
  const refund = await findRefundByNumber(context.db, account.id, notice.outRefundNo)
  if (refund === undefined) return receiveExternal(context, account, notice, raw)
  const payment = existing(await findPayment(context.db, refund.paymentId))
  return store(
    context,
    {
      accountId: account.id,
      kind: 'refund',
      businessKey: refundFactKey(notice.outRefundNo, notice.status, 'notify', refund.submitCount),
      subjectId: refund.id,
      verifiedBy: 'decryption',
      fact: notice,
    },
    raw,
    (inboxId) => context.engine.refundFact({ ...refund, outTradeNo: payment.outTradeNo }, inboxId),
  )
}

/** A refund of the channel's own portal: a loop asks the channel, and books what that says. */
async function receiveExternal(
  context: ApiContext,
  account: KeyedAccount['account'],
  notice: RefundNotice,
  raw: RawMessage,
): Promise<Received> {
  const payment = await findPaymentByNumber(context.db, account.id, notice.outTradeNo)
  if (payment === undefined || notice.source === 'API') return refused('unknown_number')
  return store(
    context,
    {
      accountId: account.id,
      kind: 'external',
      businessKey: refundFactKey(notice.outRefundNo, notice.status, 'notify'),
      subjectId: account.id,
      verifiedBy: 'decryption',
      fact: notice,
    },
    raw,
    () => Promise.resolve(),
  )
}

async function store(
  context: ApiContext,
  fact: Omit<NewFact, 'id' | 'source' | 'now'>,
  raw: RawMessage,
  signal: (inboxId: string) => Promise<void>,
): Promise<Received> {
  const { db, envelope, clock } = context
  const now = clock.now()
  const stored = await storeNotification(db, envelope, { ...fact, id: newId(now), now }, raw)
  return received(context, stored, () => signal(stored.id))
}

function received(
  { gate, signalled }: ApiContext,
  stored: Pick<StoredFact, 'id' | 'applied'>,
  signal: () => Promise<void>,
): Received {
  if (stored.applied) return { kind: 'duplicate' }
  const deliver = async (): Promise<void> => {
    await gate.run(signal)
    await signalled.note(stored.id)
  }
  return { kind: 'stored', deliver }
}

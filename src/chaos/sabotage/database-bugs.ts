import { randomBytes } from 'node:crypto'

import { newNumber } from '../../domain/ids.js'
import { fen } from '../../domain/money.js'
import { createWeChatChannel } from '../../wechat/channel.js'
import { plantInFunction, plantSql } from './mutants.js'
import type { Sabotage } from './sabotage.js'
import { OPENID, type Scene } from './scene.js'

/** Bugs of what the database keeps: each is a change that only its owner can make. */

export const paidWithoutCheckingAmount: Sabotage = {
  sentence: 'whatever amount comes for an order number pays the order',
  offence: 'accepted_wrong_amount',
  plant: plantInFunction(
    'lock_for_settling',
    'payment.total_fen, payment.paid_fen',
    `coalesce((select (i.fact->>'totalFen')::bigint from inbox i where i.subject_id = payment.id
      and i.applied_at is null limit 1), payment.total_fen), payment.paid_fen`,
  ),
  // Somebody places an order of one fen under the number that the shop is about to use.
  async provoke(scene) {
    await scene.owner.pool.query(`update merchants set late_payments = 'revive'`)
    const outTradeNo = newNumber('P', Date.now(), randomBytes(16))
    await placeBehindTheBack(scene, outTradeNo)
    const id = await scene.orderInVain(10_000, outTradeNo)
    await scene.pay(outTradeNo)
    await scene.until('the money is booked', async () => {
      const payment = await scene.payment(id)
      return payment.state === 'paid' ? payment : undefined
    })
    return outTradeNo
  },
}

async function placeBehindTheBack(scene: Scene, outTradeNo: string): Promise<void> {
  const { mchId, appId, apiV2Key } = scene.merchant
  const { controlUrl, ca: caPem } = scene.world.sandbox
  const baseUrl = new URL(controlUrl).origin
  const channel = createWeChatChannel({
    mchId,
    apiV2Key,
    signType: 'MD5',
    opUserId: mchId,
    baseUrl,
    caPem,
  })
  const order = {
    appId,
    outTradeNo,
    body: 'chaos',
    totalFen: fen(1),
    payerIp: '203.0.113.7',
    openid: OPENID,
    notifyUrl: await scene.notifyUrl('payment'),
  }
  const placed = await channel.placeOrder(order, { urgency: 'background' })
  await channel.close()
  if (placed.kind !== 'placed') throw new Error(`The first order was answered ${placed.kind}.`)
}

export const noReservation: Sabotage = {
  sentence: 'a refund counts only once it is done, so two may promise the same money',
  offence: 'over_reserved',
  plant: plantSql(`update refund_effects set bucket = 'none' where bucket = 'reserved'`),
  async provoke(scene) {
    const payment = await scene.paidOrder(1_000)
    const first = await scene.newRefund(payment, 600)
    await scene.askRefund(payment, 600)
    await scene.decide(first, 'approve')
    await scene.refundEnded(first.outRefundNo)
    return payment.outTradeNo
  },
}

export const inboxRowLost: Sabotage = {
  sentence: 'a notification is answered with SUCCESS before anything is stored',
  offence: 'notification_lost',
  plant: plantInFunction(
    'store_notification',
    'perform pg_advisory_xact_lock_shared(7202612, hashtext(payment::text));',
    `select p_id, false, 1 into inbox_id, was_applied, seen;
     return next;
     return;`,
  ),
  async provoke(scene) {
    const { outTradeNo } = await scene.paidOrder(1_000)
    return outTradeNo
  },
}

export const approvedTwice: Sabotage = {
  sentence: 'a decision that is applied sends a second refund of the same amount',
  offence: 'approved_twice',
  plant: plantSql(`
    create function sabotage_send_again() returns trigger
    language plpgsql security definer set search_path = public, pg_temp as $$
    begin
      insert into refunds (id, merchant_id, payment_id, account_id, api_version, mch_id,
        out_refund_no, origin, state, amount_fen, total_fen, reason, requested_for, expires_at,
        created_at, updated_at)
      select gen_random_uuid(), merchant_id, payment_id, account_id, api_version, mch_id,
        out_refund_no || '-2', 'system', 'approved', amount_fen, total_fen, reason, 'yuanlu',
        expires_at, created_at, updated_at
      from refunds where id = new.refund_id;
      return null;
    end $$;
    create trigger sabotage after update on refund_decisions for each row
      when (new.verb = 'approve' and old.outcome is null and new.outcome = 'applied')
      execute function sabotage_send_again();`),
  provoke: refundSome,
}

async function refundSome(scene: Scene): Promise<string> {
  const payment = await scene.paidOrder(1_000)
  const refund = await scene.newRefund(payment, 300)
  await scene.decide(refund, 'approve')
  await scene.refundEnded(refund.outRefundNo)
  return refund.outRefundNo
}

export const failureOnTimeout: Sabotage = {
  sentence: 'a refund whose answer did not come is called failed',
  offence: 'refund_lost',
  plant: plantSql(`
    create function sabotage_fail_unknown() returns trigger language plpgsql as $$
    begin
      new.state := 'failed';
      new.cause := null;
      return new;
    end $$;
    create trigger a_sabotage before update on refunds for each row
      when (new.cause = 'unknown') execute function sabotage_fail_unknown();
    -- What a trigger has changed counts, too.
    drop trigger refunds_count on refunds;
    create trigger refunds_count after insert or update on refunds
      for each row execute function refunds_count();`),
  async provoke(scene) {
    const payment = await scene.paidOrder(1_000)
    const refund = await scene.newRefund(payment, 300)
    await scene.arm({
      match: { call: 'refund', outRefundNo: refund.outRefundNo },
      fault: 'timeout_after',
      ms: 200,
      times: 1,
    })
    await scene.decide(refund, 'approve')
    await scene.refundEnded(refund.outRefundNo)
    return refund.outRefundNo
  },
}

export const notificationAppliedTwice: Sabotage = {
  sentence: 'a notification that comes again is posted again',
  offence: 'posted_twice',
  plant: plantSql(`
    alter table journal_transfers drop constraint journal_posted_once;
    create function sabotage_post_again() returns trigger
    language plpgsql security definer set search_path = public, pg_temp as $$
    begin
      insert into journal_transfers (entry_id, n, rule, debit, credit, amount_fen, merchant_id,
        cause_kind, cause_id, occurred_at)
      select gen_random_uuid(), n, rule, debit, credit, amount_fen, merchant_id, cause_kind,
        cause_id, occurred_at
      from journal_transfers where cause_id = new.subject_id;
      return null;
    end $$;
    create trigger sabotage after update of times_seen on inbox for each row
      when (new.source = 'notify') execute function sabotage_post_again();`),
  async provoke(scene) {
    const { outTradeNo } = await scene.paidOrder(1_000)
    const notification = await scene.until('it is notified', async () => {
      const sent = await scene.control<{ id: string; state: string }[]>(
        'GET',
        `notifications?outTradeNo=${outTradeNo}`,
      )
      return sent.find(({ state }) => state === 'delivered')
    })
    await scene.control('POST', `notifications/${notification.id}/resend`)
    return outTradeNo
  },
}

export const latePaymentDropped: Sabotage = {
  sentence: 'money that comes for a closed order is thought to be of no interest',
  offence: 'payment_lost',
  plant: plantSql(`
    create function sabotage_drop_late() returns trigger
    language plpgsql security definer set search_path = public, pg_temp as $$
    begin
      if exists (select from payments where id = new.subject_id and state = 'closed') then
        new.applied_at := new.stored_at;
        new.outcome := 'already_over';
      end if;
      return new;
    end $$;
    create trigger sabotage before insert on inbox for each row
      when (new.fact->>'kind' = 'paid') execute function sabotage_drop_late();`),
  async provoke(scene) {
    const { id, outTradeNo } = await scene.order(1_000)
    await scene.act(id, 'close')
    await scene.until('the order is closed', async () => {
      const payment = await scene.payment(id)
      return payment.state === 'closed' ? payment : undefined
    })
    await scene.pay(outTradeNo, 'late')
    await scene.until('it is notified', () => storedFact(scene, outTradeNo))
    return outTradeNo
  },
}

async function storedFact(scene: Scene, number: string): Promise<object | undefined> {
  const rows = await scene.owner.rows<object>(NOTIFIED, [`${number}:%`])
  return rows[0]
}

const NOTIFIED = {
  text: `select id from inbox where business_key like $1 and source = 'notify'`,
}

export const portalRefundIgnored: Sabotage = {
  sentence: 'a refund that somebody made in the portal is not looked at',
  offence: 'portal_refund_lost',
  plant: plantInFunction(
    'book_external_refund',
    'select * into payment from payments where id = p_payment_id for no key update;',
    `return jsonb_build_object('outcome', 'nothing_moved');`,
  ),
  async provoke(scene) {
    const { outTradeNo } = await scene.paidOrder(1_000)
    const { outRefundNo } = await scene.refundByHand(outTradeNo, 400)
    await scene.until('it is notified', () => storedFact(scene, outRefundNo))
    return outRefundNo
  },
}

export const wrongFenPosted: Sabotage = {
  sentence: 'the journal rounds to tenths of a yuan',
  offence: 'posting_differs',
  plant: plantSql(`
    create function sabotage_round() returns trigger language plpgsql as $$
    begin
      new.amount_fen := greatest(10, new.amount_fen / 10 * 10);
      return new;
    end $$;
    create trigger a_sabotage before insert on journal_transfers
      for each row execute function sabotage_round();`),
  async provoke(scene) {
    const { outTradeNo } = await scene.paidOrder(1_234)
    return outTradeNo
  },
}

import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { addKey } from '../../src/cli/merchants.js'
import { bookExternalRefund } from '../../src/db/external-refunds.js'
import { newId } from '../../src/db/ids.js'
import { storeFact } from '../../src/db/inbox.js'
import { inTransaction } from '../../src/db/transaction.js'
import { fen } from '../../src/domain/money.js'
import { balances, journalOf } from '../../src/ledger/journal.js'
import { createWeChatChannel } from '../../src/wechat/channel.js'
import { ApiClient, type PaymentAnswer, type RefundAnswer } from '../support/api-client.js'
import { upsertedAttention } from '../support/history.js'
import { eventually, MERCHANT_ID, placed, startStack, type Stack } from '../support/stack.js'

const PATIENCE_MS = 90_000

let stack: Stack
let second: ApiClient

beforeAll(async () => {
  stack = await startStack({ rate: 60 })
  const scopes = ['refunds:decide', 'refunds:read']
  const { key } = await addKey(stack.owner, { merchantId: MERCHANT_ID, name: 'owner', scopes })
  second = new ApiClient(stack.apiUrl, key)
})
afterAll(() => stack.stop())

const pay = (outTradeNo: string) =>
  stack.sandbox.control.pay({ mchId: stack.merchant.mchId, outTradeNo })

async function paidPayment(amountFen = 10_000): Promise<PaymentAnswer> {
  const body = await placed(stack, { amountFen })
  await pay(body.outTradeNo)
  await paymentWhen(body.id, ({ state }) => state === 'paid')
  return body
}

const paymentWhen = (id: string, isSo: (payment: PaymentAnswer) => boolean) =>
  eventually(async () => {
    const { body } = await stack.requester.payment(id)
    return isSo(body) && body
  }, PATIENCE_MS)

const refundWhen = (id: string, isSo: (refund: RefundAnswer) => boolean) =>
  eventually(async () => {
    const { body } = await stack.requester.refund(id)
    return isSo(body) && body
  }, PATIENCE_MS)

const stateIs = (id: string, state: string) => refundWhen(id, (now) => now.state === state)
const causeIs = (id: string, cause: string) => refundWhen(id, (now) => now.cause === cause)

const ask = async (paymentId: string, amountFen: number): Promise<RefundAnswer> =>
  (await stack.requester.requestRefund({ paymentId, amountFen })).body

const casesOf = async (paymentId: string): Promise<string[]> =>
  (
    await stack.owner.rows<{ kind: string }>(
      { text: 'select kind from cases where payment_id = $1 order by kind' },
      [paymentId],
    )
  ).map(({ kind }) => kind)

const rulesOf = async (id: string): Promise<string[]> =>
  (await journalOf(stack.owner, [{ kind: 'refund', id }])).map(({ rule }) => rule)

describe('what WeChat Pay says that cannot be', () => {
  it('a success beyond what was paid: is told, and booked in transit', async () => {
    const paid = await paidPayment()
    const refund = await ask(paid.id, 6_000)
    const { outRefundNo } = refund
    // Nobody hears how it ended until the portal's refund is booked.
    await stack.sandbox.control.armFaults([
      { match: { call: 'refundquery', outRefundNo }, fault: 'systemerror', times: -1 },
      { match: { call: 'notify_refund', outRefundNo }, fault: 'lost', times: -1 },
    ])
    await stack.approver.decide(refund.id, 'approve')
    await causeIs(refund.id, 'accepted')
    // The sandbox gives back no more than was paid, so what it never shows is booked here.
    await inTransaction(stack.owner, (tx) =>
      bookExternalRefund(tx, {
        paymentId: paid.id,
        fact: {
          kind: 'refund',
          status: 'success',
          outTradeNo: paid.outTradeNo,
          outRefundNo: '9000000000000000000000000001',
          refundId: '90300000000000000000000001',
          refundFen: fen(6_000),
          settlementFen: fen(6_000),
        },
        now: new Date(),
      }),
    )
    await stack.sandbox.control.clearFaults()
    const told = await causeIs(refund.id, 'beyond_paid')
    expect(told.state).toBe('needs_attention')
    expect(await casesOf(paid.id)).toEqual(['refund_beyond_paid', 'refunds_exceed_payment'])
    expect(await rulesOf(refund.id)).toEqual(['J1'])
    const book = await balances(stack.owner)
    expect(book.reduce((sum, { balanceFen }) => sum + balanceFen, 0)).toBe(0)
    const { body } = await stack.requester.payment(paid.id)
    expect(body).toMatchObject({ refundedFen: 6_000, reservedFen: 6_000, refundableFen: 0 })
    const [facts] = await stack.owner.rows<{ n: number }>(
      {
        text: 'select count(*)::int as n from inbox where subject_id = $1 and applied_at is null',
      },
      [refund.id],
    )
    expect(facts?.n).toBe(0)
  })

  it('another amount under our number: is held, and nothing is booked as given back', async () => {
    const paid = await paidPayment()
    const refund = await ask(paid.id, 300)
    const { mchId, appId, apiV2Key, certPem, keyPem, caPem } = stack.merchant
    const other = createWeChatChannel({
      mchId,
      apiV2Key,
      signType: 'MD5',
      opUserId: mchId,
      baseUrl: stack.sandbox.url,
      caPem,
      clientCertificate: { certPem, keyPem },
    })
    const sent = await other.submitRefund(
      {
        appId,
        outTradeNo: paid.outTradeNo,
        outRefundNo: refund.outRefundNo,
        totalFen: fen(10_000),
        refundFen: fen(200),
        reason: 'by another program',
        notifyUrl: `${stack.apiUrl}/notify/nobody/refund`,
      },
      { urgency: 'waiting' },
    )
    await other.close()
    expect(sent).toMatchObject({ kind: 'accepted' })
    await stack.approver.decide(refund.id, 'approve')
    expect((await causeIs(refund.id, 'amount_differs')).state).toBe('needs_attention')
    expect(await casesOf(paid.id)).toEqual(['refund_differs'])
    expect(await rulesOf(refund.id)).toEqual([])
    expect((await stack.requester.payment(paid.id)).body).toMatchObject({ refundedFen: 0 })
  })
})

describe('a payment that WeChat Pay shows with refunds', () => {
  it('asked about: those that nobody here made are booked', async () => {
    const paid = await paidPayment()
    const { mchId } = stack.merchant
    const { outTradeNo } = paid
    await stack.sandbox.control.armFaults([
      { match: { call: 'notify_refund', outTradeNo }, fault: 'lost', times: -1 },
    ])
    await stack.sandbox.control.refundByHand({ mchId, outTradeNo, amountFen: 2_500 })
    const query = () => stack.requester.send('POST', `/v1/payments/${paid.id}/query`)
    await eventually(async () => (await query()).status === 200, PATIENCE_MS)
    const booked = await paymentWhen(paid.id, ({ refundableFen }) => refundableFen < 10_000)
    expect(booked.refundableFen).toBe(7_500)
    await paymentWhen(paid.id, ({ refundedFen }) => refundedFen === 2_500)
  })
})

describe('surplus money whose refund the channel closed', () => {
  it('is asked for again under a new number, approved, and leaves suspense', async () => {
    const created = await placed(stack, { amountFen: 700 })
    const { id, outTradeNo } = created
    const { mchId } = stack.merchant
    await closeBehindTheBack(created)
    await stack.sandbox.control.setCard({ mchId, outTradeNo, frozen: true })
    await pay(outTradeNo)
    await paymentWhen(id, ({ disposition }) => disposition === 'surplus')
    const { items } = await eventually(async () => {
      const { body } = await stack.requester.send<{ items: RefundAnswer[] }>(
        'GET',
        `/v1/refunds?paymentId=${id}`,
      )
      return body.items.some(({ cause }) => cause === 'abnormal') && body
    }, PATIENCE_MS)
    const [first] = items
    if (first === undefined) throw new Error('The surplus has a refund.')
    const none = await stack.requester.requestRefund({ paymentId: id, amountFen: 700 })
    expect(none.body.code).toBe('payment_held')
    const { outRefundNo } = first
    await stack.sandbox.control.resolve({ mchId, outRefundNo, result: 'REFUNDCLOSE' })
    await stateIs(first.id, 'failed')
    await stack.sandbox.control.setCard({ mchId, outTradeNo, frozen: false })
    expect((await stack.requester.payment(id)).body.refundableFen).toBe(700)
    const again = await stack.approver.send<RefundAnswer & { retryOf?: string }>(
      'POST',
      `/v1/refunds/${first.id}/retry`,
      { body: { actingUser: 'wang.wei', reason: 'the card works again' } },
    )
    expect([again.status, again.body.state, again.body.retryOf]).toEqual([201, 'pending', first.id])
    await second.decide(again.body.id, 'approve', 'zhao.lei')
    await stateIs(again.body.id, 'done')
    expect(await rulesOf(first.id)).toEqual(['J1', 'J4'])
    const lines = await journalOf(stack.owner, [{ kind: 'refund', id: again.body.id }])
    expect(lines.map(({ rule, debit }) => `${rule} ${debit.split(':')[0]}`)).toEqual([
      'J1 refunds_in_transit',
      'J2 suspense',
    ])
    const after = (await stack.requester.payment(id)).body
    expect(after).toMatchObject({ refundedFen: 700, reservedFen: 0, refundableFen: 0 })
  })
})

/** A close that nobody told the engine of yet; it is applied with the next fact. */
async function closeBehindTheBack({ id, outTradeNo }: PaymentAnswer): Promise<void> {
  const [account] = await stack.owner.rows<{ id: string }>(
    { text: 'select id from channel_accounts' },
    [],
  )
  const now = new Date()
  await storeFact(stack.owner, {
    id: newId(now),
    accountId: account?.id ?? '',
    kind: 'payment',
    businessKey: `${outTradeNo}:closed`,
    subjectId: id,
    source: 'query',
    verifiedBy: 'query',
    fact: { kind: 'closed' },
    now,
  })
}

describe('an account with a wrong key', () => {
  it('what it holds needs a person, in Temporal, until the key is right', async () => {
    const [one, other] = [await paidPayment(), await paidPayment()]
    const probe = await ask(one.id, 300)
    const { outRefundNo } = probe
    await stack.sandbox.control.armFaults([
      { match: { call: 'refund', outRefundNo }, fault: 'error', code: 'SIGNERROR', times: 1 },
    ])
    await stack.approver.decide(probe.id, 'approve')
    await causeIs(probe.id, 'credentials')
    const waits = await ask(other.id, 300)
    await stack.approver.decide(waits.id, 'approve')
    for (const { id, outRefundNo: number } of [probe, waits]) {
      await eventually(
        async () => (await attentionsOf(number)).includes('credentials'),
        PATIENCE_MS,
      )
      await stateIs(id, 'done')
      expect((await attentionsOf(number)).at(-1)).toBeNull()
    }
  })
})

/** What a refund's workflow has shown as its attention, in order. */
async function attentionsOf(outRefundNo: string): Promise<unknown[]> {
  const handle = stack.temporal.workflow.getHandle(`refund:${MERCHANT_ID}:${outRefundNo}`)
  return upsertedAttention(await handle.fetchHistory())
}

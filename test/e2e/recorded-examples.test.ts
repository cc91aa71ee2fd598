import { randomUUID } from 'node:crypto'
import { existsSync, writeFileSync } from 'node:fs'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { openApiDocument } from '../../scripts/openapi-document.js'
import {
  RECORDED_EXAMPLES_URL,
  recordedExamples,
  type RecordedExample,
} from '../../src/api/recorded-examples.js'
import { addKey } from '../../src/cli/merchants.js'
import { SCOPES } from '../../src/db/api-keys.js'
import { openCase } from '../../src/db/cases.js'
import { inTransaction } from '../../src/db/transaction.js'
import { createWeChatChannel } from '../../src/wechat/channel.js'
import { Recorder } from '../api/support/recorder.js'
import { OPENID } from '../support/api-client.js'
import { eventually, MERCHANT_ID, startStack, type Stack } from '../support/stack.js'

/** Operations whose answer is no document, so that an example would show nothing. */
const WITHOUT_EXAMPLE: Readonly<Record<string, string>> = {
  metrics: 'text of Prometheus',
  deleteWebhookEndpoint: 'an empty answer',
  notifyPayment: 'called by WeChat Pay alone, with a document of its own',
  notifyRefund: 'called by WeChat Pay alone, with a document of its own',
  resolvePayment: 'needs money that does not match its order',
}

let stack: Stack
let recorder: Recorder
let asker: string
let approver: string

beforeAll(async () => {
  stack = await startStack({ rate: 60 })
  const { merchant } = stack
  recorder = new Recorder(stack.apiUrl, {
    [merchant.mchId]: '1900000001',
    [merchant.appId]: 'wx2421b1c4370ec43b',
  })
  const key = async (name: string): Promise<string> =>
    (await addKey(stack.owner, { merchantId: MERCHANT_ID, name, scopes: SCOPES })).key
  asker = await key('shop')
  approver = await key('office')
})
afterAll(() => stack.stop())

interface Made {
  readonly id: string
  readonly outTradeNo: string
  readonly state: string
}

const get = <Body>(operationId: string, path: string) =>
  recorder.call<Body>(operationId, { method: 'GET', path, key: asker })

const post = <Body>(operationId: string, path: string, body?: unknown, key = asker) =>
  recorder.call<Body>(operationId, {
    method: 'POST',
    path,
    key,
    ...(body === undefined ? {} : { body }),
    idempotencyKey: randomUUID(),
  })

const createPayment = (orderRef: string) =>
  post<Made>('createPayment', '/v1/payments', {
    amountFen: 10_000,
    description: '青团礼盒',
    openid: OPENID,
    orderRef,
  })

/** The buyer pays as soon as the order stands at WeChat Pay. */
const pay = (outTradeNo: string): Promise<boolean> => {
  const { mchId } = stack.merchant
  const paying = () => stack.sandbox.control.pay({ mchId, outTradeNo })
  return eventually(async () =>
    paying().then(
      () => true,
      () => false,
    ),
  )
}

async function paidPayment(orderRef: string): Promise<Made> {
  const payment = await createPayment(orderRef)
  await pay(payment.outTradeNo)
  await eventually(async () => {
    return (await get<Made>('getPayment', `/v1/payments/${payment.id}`)).state === 'paid'
  })
  return payment
}

const requestRefund = (paymentId: string, reason: string) =>
  post<Made>('requestRefund', '/v1/refunds', {
    paymentId,
    amountFen: 400,
    reason,
    actingUser: 'li.na',
  })

const isRefund = (id: string, state: string) =>
  eventually(async () => (await get<Made>('getRefund', `/v1/refunds/${id}`)).state === state)

/** An order that another program placed and that was paid. */
async function foreignOrder(): Promise<{ appId: string; outTradeNo: string }> {
  const { mchId, apiV2Key, appId } = stack.merchant
  const { url: baseUrl, caPem } = stack.sandbox
  const account = { mchId, apiV2Key, baseUrl, caPem, signType: 'MD5', opUserId: mchId } as const
  const channel = createWeChatChannel(account)
  const outTradeNo = 'OLD202611230001'
  try {
    await channel.placeOrder(
      {
        appId,
        outTradeNo,
        body: 'Shop-Tea',
        totalFen: 500 as Parameters<typeof channel.placeOrder>[0]['totalFen'],
        payerIp: '203.0.113.7',
        openid: OPENID,
        notifyUrl: 'http://127.0.0.1:1/elsewhere',
      },
      { signal: AbortSignal.timeout(20_000), urgency: 'waiting' },
    )
  } finally {
    await channel.close()
  }
  await pay(outTradeNo)
  return { appId, outTradeNo }
}

const decision = (reason: string) => ({ actingUser: 'wang.wei', reason })

async function playPayments(): Promise<Made> {
  const open = await createPayment('order-1001')
  await post('prepayPayment', `/v1/payments/${open.id}/prepay`)
  await post('queryPayment', `/v1/payments/${open.id}/query`)
  await post('closePayment', `/v1/payments/${open.id}/close`)
  await post('adoptPayment', '/v1/payments/adopt', await foreignOrder())
  const paid = await paidPayment('order-1002')
  await get('getPayment', `/v1/payments/${paid.id}`)
  await get('listPayments', '/v1/payments?orderRef=order-1002')
  return paid
}

async function playRefunds(paid: Made): Promise<void> {
  const rejected = await requestRefund(paid.id, '不想要了')
  await post('rejectRefund', `/v1/refunds/${rejected.id}/reject`, decision('已发货'), approver)
  const cancelled = await requestRefund(paid.id, '拍错了')
  const withdrawn = { actingUser: 'li.na', reason: '又想要了' }
  await post('cancelRefund', `/v1/refunds/${cancelled.id}/cancel`, withdrawn)
  const refund = await requestRefund(paid.id, '少了一盒')
  await post('approveRefund', `/v1/refunds/${refund.id}/approve`, decision('属实'), approver)
  await isRefund(refund.id, 'done')
  await get('listRefunds', '/v1/refunds?state=done')
}

/** A refund to a card that is frozen waits for a person. */
async function playStuckRefund(paid: Made): Promise<void> {
  const match = { call: 'refund' } as const
  await stack.sandbox.control.armFaults([{ match, fault: 'change', times: 1 }])
  const stuck = await requestRefund(paid.id, '破损')
  await post('approveRefund', `/v1/refunds/${stuck.id}/approve`, decision('属实'), approver)
  await isRefund(stuck.id, 'needs_attention')
  const transferred = {
    as: 'settled',
    actingUser: 'wang.wei',
    evidence: 'Bank transfer 20261123-0042',
  }
  await post('resolveRefund', `/v1/refunds/${stuck.id}/resolve`, transferred, approver)
  await get('listRefundResolutions', `/v1/refunds/${stuck.id}/resolutions`)
  await post('retryRefund', `/v1/refunds/${stuck.id}/retry`, decision('卡已解冻'), approver)
}

/** A refund made in the portal does not fit beside the one that was asked for here. */
async function playCases(paid: Made): Promise<void> {
  await requestRefund(paid.id, '少发一盒')
  const { mchId } = stack.merchant
  const { outTradeNo } = paid
  await stack.sandbox.control.refundByHand({ mchId, outTradeNo, amountFen: 9_700 })
  const path = `/v1/cases?state=open&paymentId=${paid.id}`
  const opened = await eventually(async () => {
    const { items } = await get<{ items: Made[] }>('listCases', path)
    return items[0]
  })
  await get('getCase', `/v1/cases/${opened.id}`)
  const said = { actingUser: 'wang.wei', note: '微信支付已核实,买家只收到一笔' }
  await post('resolveCase', `/v1/cases/${await impossibleCase(paid)}/resolve`, said, approver)
}

/** What the sandbox never does: the portal gives back more than was paid. */
async function impossibleCase({ id: paymentId }: Made): Promise<string> {
  const opened = await inTransaction(stack.owner, (tx) =>
    openCase(tx, {
      kind: 'refund_beyond_paid',
      merchantId: MERCHANT_ID,
      paymentId,
      causeKind: 'channel_refund',
      causeId: '50000702202611230000000002',
      amountFen: 10_000,
      detail: { refundAtChannel: '50000702202611230000000002' },
      now: new Date(),
    }),
  )
  if (opened === null) throw new Error('The case was opened before.')
  return opened
}

async function playWebhooks(): Promise<void> {
  const wanted = { url: 'https://shop.example.com/hooks', livemode: false }
  const { id } = await post<Made>('createWebhookEndpoint', '/v1/webhook-endpoints', wanted)
  const endpoint = `/v1/webhook-endpoints/${id}`
  await get('listWebhookEndpoints', '/v1/webhook-endpoints')
  await get('getWebhookEndpoint', endpoint)
  const body = { eventTypes: ['payment.paid', 'refund.done'] }
  const changed = { method: 'PATCH', path: endpoint, key: asker, body } as const
  await recorder.call('changeWebhookEndpoint', changed)
  await post('rotateWebhookSecret', `${endpoint}/rotate-secret`)
  await post('testWebhookEndpoint', `${endpoint}/test`)
  const { items } = await get<{ items: Made[] }>('listWebhookDeliveries', '/v1/webhook-deliveries')
  const delivery = `/v1/webhook-deliveries/${items[0]?.id ?? ''}`
  await get('getWebhookDelivery', delivery)
  await post('replayWebhookDelivery', `${delivery}/replay`)
}

async function playMerchant(): Promise<void> {
  const path = `/v1/merchants/${MERCHANT_ID}`
  interface Merchant {
    readonly accounts: readonly { readonly id: string }[]
  }
  const { accounts } = await get<Merchant>('getMerchant', path)
  const settings = {
    name: '原路小店',
    operatorLimitFen: 0,
    selfApproval: false,
    latePayments: 'refund',
    refundsStopped: false,
    actingUser: 'wang.wei',
  }
  await recorder.call('changeMerchant', { method: 'PUT', path, key: approver, body: settings })
  const rules = [{ upToFen: 5_000, shipped: false, approvals: 0 }, { approvals: 1 }]
  const policy = {
    rules,
    dayLimitFen: 1_000_000,
    personDayLimitFen: null,
    spacingSeconds: 0,
    deadlineSeconds: 86_400,
    atDeadline: 'escalate',
    approveUpToFen: null,
    actingUser: 'wang.wei',
  }
  await post('createPolicy', `${path}/policies`, policy, approver)
  await get('getPolicy', `${path}/policies/1`)
  const { certPem, keyPem } = stack.merchant
  const credential = {
    accountId: accounts[0]?.id,
    actingUser: 'wang.wei',
    certificate: { certPem, keyPem },
  }
  await post('addCredential', `${path}/credentials`, credential, approver)
  await get('listCredentials', `${path}/credentials`)
  await get('listAudit', '/v1/audit?limit=3')
}

/** What each example's request and answer are made of, by the names of their members. */
function membersOf(examples: Readonly<Record<string, RecordedExample>>) {
  const sorted = Object.entries(examples).toSorted(([a], [b]) => a.localeCompare(b))
  return sorted.map(([operationId, { request, response }]) => {
    return [operationId, namesIn(request.body), namesIn(response.body)]
  })
}

function namesIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return []
  const names = Object.keys(value).toSorted()
  return 'items' in value && Array.isArray(value.items)
    ? [...names, ...namesIn(value.items[0])]
    : names
}

interface Documented {
  readonly paths: Readonly<Record<string, Readonly<Record<string, { operationId: string }>>>>
}

describe('examples of the API document', () => {
  test('recording: real calls give the examples that are kept', async () => {
    await get('health', '/healthz')
    await get('readiness', '/readyz')
    const paid = await playPayments()
    await playRefunds(paid)
    await playStuckRefund(await paidPayment('order-1003'))
    await playCases(await paidPayment('order-1004'))
    await playWebhooks()
    await playMerchant()
    await eventually(async () => {
      const page = await get<{ items: unknown[] }>('readEvents', '/v1/events?limit=2')
      return page.items.length === 2
    })
    await eventually(async () =>
      get('getLedgerHead', '/v1/ledger/head').then(
        () => true,
        () => false,
      ),
    )
    const sorted = Object.entries(recorder.examples).toSorted(([a], [b]) => a.localeCompare(b))
    const text = `${JSON.stringify(Object.fromEntries(sorted), undefined, 2)}\n`
    // Removing the file has it written anew; which state a slow call is answered in may differ.
    if (!existsSync(RECORDED_EXAMPLES_URL)) writeFileSync(RECORDED_EXAMPLES_URL, text)
    expect(membersOf(recorder.examples)).toEqual(membersOf(recordedExamples()))
  }, 120_000)

  test('the document: shows the example of each operation that has one', async () => {
    const document = JSON.stringify(await openApiDocument())
    for (const { response } of Object.values(recordedExamples())) {
      expect(document).toContain(`"example":${JSON.stringify(response.body)}`)
    }
  })

  test('every operation: has an example, or a reason for none', async () => {
    const { paths } = (await openApiDocument()) as Documented
    const ids = Object.values(paths).flatMap((methods) => {
      return Object.values(methods).map(({ operationId }) => operationId)
    })
    const shown = [...Object.keys(recordedExamples()), ...Object.keys(WITHOUT_EXAMPLE)]
    expect(shown.toSorted()).toEqual(ids.toSorted())
  })
})

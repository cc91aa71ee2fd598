import { readFile } from 'node:fs/promises'
import path from 'node:path'

import { request } from 'undici'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { addKey } from '../../src/cli/merchants.js'
import { openChannelRequest } from '../../src/db/channel-requests.js'
import { activeCredentials } from '../../src/db/credentials.js'
import { Envelope } from '../../src/db/envelope.js'
import { findRawMessage } from '../../src/db/inbox-bodies.js'
import { paymentWorkflowId, refundWorkflowId } from '../../src/domain/ids.js'
import { exportBook } from '../../src/ledger/export.js'
import { paidFields, signedXml } from '../api/paid-notification.js'
import { ApiClient, OPENID } from '../support/api-client.js'
import { formsOf, secretsIn, textOf, type Secret } from '../support/secret-search.js'
import { eventually, MERCHANT_ID, placed, startStack, type Stack } from '../support/stack.js'
import { makeTestFolder } from '../support/test-folder.js'
import { startReceiver, type Receiver } from '../webhooks/support/receiver.js'

const PAYER_IP = '198.18.77.231'
/** Nobody asked for these, so nobody may keep them. */
const PHONE = '13912345678'
const ADDRESS = '浙江省杭州市西湖区龙井路1号'
const FORGED_OPENID = 'oForgedBuyer00000000000000001'

let stack: Stack
let receiver: Receiver
let secrets: Secret[]
let paymentIds: string[]
let refundIds: string[]
/** What callers were answered, also where something was wrong. */
const answers: unknown[] = []

beforeAll(async () => {
  ;[stack, receiver] = await Promise.all([startStack({ rate: 60 }), startReceiver()])
  const webhookSecret = await addEndpoint()
  secrets = allSecrets(webhookSecret)
  await livePaths()
}, 120_000)

afterAll(async () => {
  await stack.stop()
  await receiver.close()
})

async function addEndpoint(): Promise<string> {
  const scopes = ['webhooks:read', 'webhooks:write']
  const { key } = await addKey(stack.owner, { merchantId: MERCHANT_ID, name: 'hooks', scopes })
  const hooks = new ApiClient(stack.apiUrl, key)
  const body = { url: `http://127.0.0.1:${receiver.port}/hook`, livemode: false }
  const created = await hooks.send<{ id: string; secret: string }>(
    'POST',
    '/v1/webhook-endpoints',
    {
      body,
    },
  )
  // The answer that tells a secret is the one place where it belongs in clear, and it comes once.
  answers.push((await hooks.send('GET', `/v1/webhook-endpoints/${created.body.id}`)).body)
  return created.body.secret
}

function allSecrets(webhookSecret: string): Secret[] {
  const { merchant, workerEnvironment } = stack
  const bodyOf = (pem: string) => pem.split('\n')[3] ?? pem
  const passwordOf = (name: string) => new URL(workerEnvironment[name] ?? '').password
  const keys = stack.secrets.map((value, index) => ({
    name: `secret ${index} of the stack`,
    value,
  }))
  return [
    ...keys,
    { name: "the merchant's certificate", value: bodyOf(merchant.certPem) },
    { name: "the merchant's private key", value: bodyOf(merchant.keyPem) },
    { name: "the merchant's PKCS#12 file", value: merchant.p12Base64.slice(100, 160) },
    { name: 'the sealing key', value: workerEnvironment['YUANLU_LEDGER_KEY'] ?? '' },
    { name: "the API's password", value: passwordOf('YUANLU_DATABASE_URL_API') },
    { name: "the worker's password", value: passwordOf('YUANLU_DATABASE_URL_WORKER') },
    { name: 'a webhook secret', value: webhookSecret.replace(/^whsec_/, '') },
    { name: 'the openid', value: OPENID },
    { name: 'an openid that was forged', value: FORGED_OPENID },
    { name: 'the address of the payer', value: PAYER_IP },
    { name: 'a phone number', value: PHONE },
    { name: 'an address', value: ADDRESS },
  ]
}

/** Everything that happens to payments and refunds, also what goes wrong. */
async function livePaths(): Promise<void> {
  const [given, rejected, portal, lost] = await Promise.all([
    paidOrder(),
    paidOrder(),
    paidOrder(),
    paidOrder('lost'),
  ])
  paymentIds = [given, rejected, portal, lost].map(({ id }) => id)
  refundIds = [
    await refund(given.id, 'done', 'approve'),
    await refund(rejected.id, 'rejected', 'reject'),
  ]
  refundIds.push(await frozenRefund(lost))
  await stack.sandbox.control.refundByHand({
    mchId: stack.merchant.mchId,
    outTradeNo: portal.outTradeNo,
    amountFen: 100,
    notifyUrl: `${stack.apiUrl}/notify/${await notifyToken()}/refund`,
  })
  await eventually(async () => (await stack.requester.payment(portal.id)).body.refundedFen === 100)
  await badInput(given.outTradeNo)
  await eventually(async () => receiver.received.length >= 4)
}

async function paidOrder(fault?: 'lost'): Promise<{ id: string; outTradeNo: string }> {
  const { requester, sandbox, merchant } = stack
  const created = await placed(stack, { amountFen: 1_000, payerIp: PAYER_IP })
  answers.push(created)
  const { id, outTradeNo } = created
  if (fault !== undefined) {
    const match = { call: 'notify_payment', outTradeNo }
    await sandbox.control.armFaults([{ match, fault, times: 9 }])
  }
  await sandbox.control.pay({ mchId: merchant.mchId, outTradeNo })
  await eventually(async () => (await requester.payment(id)).body.state === 'paid', 40_000)
  return { id, outTradeNo }
}

async function refund(
  paymentId: string,
  state: string,
  verb: 'approve' | 'reject',
): Promise<string> {
  const { requester, approver } = stack
  const asked = await requester.requestRefund({ paymentId, amountFen: 400 })
  answers.push(asked.body, (await approver.decide(asked.body.id, verb)).body)
  await eventually(async () => (await requester.refund(asked.body.id)).body.state === state, 40_000)
  return asked.body.id
}

/** The buyer's card takes nothing back, so a person has to look. */
async function frozenRefund({ id, outTradeNo }: { id: string; outTradeNo: string }) {
  const { mchId } = stack.merchant
  await stack.sandbox.control.setCard({ mchId, outTradeNo, frozen: true })
  return refund(id, 'needs_attention', 'approve')
}

const notifyToken = async (): Promise<string> => {
  const text = 'select notify_token as token from channel_accounts'
  const [account] = await stack.owner.rows<{ token: string }>({ text }, [])
  return account?.token ?? ''
}

/** What is refused holds what must not be told or kept, in every place where one can put it. */
async function badInput(outTradeNo: string): Promise<void> {
  const { requester, approver, apiUrl, merchant } = stack
  const personal = { phone: PHONE, address: ADDRESS, openid: `${OPENID}!` }
  const refused = await Promise.all([
    requester.createPayment({ amountFen: -1, ...personal }),
    requester.requestRefund({ amountFen: 1, paymentId: PHONE, ...personal }),
    requester.send('GET', `/v1/payments/${OPENID}?cursor=${merchant.apiV2Key}`),
    requester.send('GET', `/v1/payments?orderRef=${PHONE}&cursor=${PHONE}`),
    approver.createPayment(personal),
    new ApiClient(apiUrl, `${merchant.apiV2Key}x`).payment(OPENID),
  ])
  for (const { status, body } of refused) {
    expect(status).toBeGreaterThanOrEqual(400)
    answers.push(body)
  }
  const forged = { ...paidFields(outTradeNo), openid: FORGED_OPENID, mch_id: merchant.mchId }
  for (const body of [signedXml(forged), signedXml(forged).replace('</xml>', PHONE), PHONE]) {
    const url = `${apiUrl}/notify/${await notifyToken()}/payment`
    const answer = await request(url, { method: 'POST', body })
    expect(answer.statusCode).toBe(400)
    answers.push(await answer.body.text())
  }
}

/** Where operators, callers and whoever gets a copy of the database look. */
const places: Readonly<Record<string, () => Promise<string>>> = {
  histories: async () => textOf(await Promise.all((await workflowIds()).map(historyOf))),
  'what Temporal knows of a workflow': async () =>
    textOf(
      await Promise.all(
        (await workflowIds()).map(async (id) => {
          const { raw, memo, typedSearchAttributes } = await stack.temporal.workflow
            .getHandle(id)
            .describe()
          return [raw, memo, typedSearchAttributes.getAll()]
        }),
      ),
    ),
  logs: async () => stack.logLines.join('\n'),
  metrics: async () => (await request(`${stack.apiUrl}/metrics`)).body.text(),
  answers: async () => JSON.stringify(answers),
  'events to merchants': async () => textOf(receiver.received),
  'every table': async () => (await dumpOf(await tables())).join('\n'),
  'the export of the book': async () => {
    const file = path.join(await makeTestFolder('export'), 'book.sql')
    await exportBook(stack.owner, file)
    return readFile(file, 'utf8')
  },
}

async function workflowIds(): Promise<string[]> {
  const text = `select p.out_trade_no as "outTradeNo", r.out_refund_no as "outRefundNo"
    from payments p left join refunds r on r.payment_id = p.id and r.origin = 'api'`
  const rows = await stack.owner.rows<{ outTradeNo: string; outRefundNo: string | null }>(
    { text },
    [],
  )
  const ids = rows.flatMap(({ outTradeNo, outRefundNo }) => [
    paymentWorkflowId(MERCHANT_ID, outTradeNo),
    ...(outRefundNo === null ? [] : [refundWorkflowId(MERCHANT_ID, outRefundNo)]),
  ])
  return [...new Set(ids)]
}

const historyOf = (workflowId: string) =>
  stack.temporal.workflow.getHandle(workflowId).fetchHistory()

async function tables(): Promise<string[]> {
  const text = `select tablename as name from pg_tables where schemaname = 'public' order by 1`
  return (await stack.owner.rows<{ name: string }>({ text }, [])).map(({ name }) => name)
}

/** As a dump has it: bytes in hexadecimal. */
const dumpOf = (names: readonly string[]): Promise<string[]> =>
  Promise.all(
    names.map(async (name) => {
      const rows = await stack.owner.rows<{ row: string }>(
        { text: `select t::text as row from ${name} t` },
        [],
      )
      return `${name}\n${rows.map(({ row }) => row).join('\n')}`
    }),
  )

/** What stands where no payment is named by its id. */
const MARKS: Readonly<Record<string, string>> = {
  'what Temporal knows of a workflow': MERCHANT_ID,
  logs: 'notification refused',
  metrics: 'notifications_total',
}

describe('a whole run, with what goes wrong in it', { timeout: 60_000 }, () => {
  test.each(Object.entries(places))('%s: hold no secret and nobody', async (_place, look) => {
    const text = await look()
    expect(secretsIn(text, secrets)).toEqual([])
  })

  test.each(Object.entries(places))(
    '%s: are read so that what is there is seen',
    async (place, look) => {
      const text = await look()
      const value = MARKS[place] ?? paymentIds[0] ?? ''
      expect(secretsIn(text, [{ name: 'it', value }])).toEqual(['it'])
    },
  )

  test('the token of the notify addresses: is told to nobody but WeChat Pay', async () => {
    const token = { name: 'the token', value: await notifyToken() }
    const { 'every table': _table, ...others } = places
    for (const [place, look] of Object.entries(others)) {
      expect(secretsIn(await look(), [token]), place).toEqual([])
    }
    const names = (await tables()).filter((name) => name !== 'channel_accounts')
    expect(secretsIn((await dumpOf(names)).join('\n'), [token])).toEqual([])
  })
})

describe('where secrets belong', () => {
  test('the master key opens them, and they are what was given', async () => {
    const { owner, merchant, workerEnvironment } = stack
    const envelope = new Envelope(
      Buffer.from(workerEnvironment['YUANLU_MASTER_KEY'] ?? '', 'base64'),
    )
    const [payment] = await owner.rows<{ id: string; accountId: string; sealed: Buffer }>(
      {
        text: `select id, account_id as "accountId", channel_request as sealed from payments
          where id = $1`,
      },
      [paymentIds[0]],
    )
    if (payment === undefined) throw new Error('The payment is gone.')
    const sealed = openChannelRequest(envelope, payment.id, payment.sealed)
    expect(sealed).toMatchObject({ openid: OPENID, payerIp: PAYER_IP })
    const [key] = await activeCredentials(owner, envelope, payment.accountId, 'v2_key')
    expect(textOf(key)).toContain(merchant.apiV2Key)
    const [body] = await owner.rows<{ id: string }>(
      { text: 'select inbox_id as id from inbox_bodies limit 1' },
      [],
    )
    const raw = await findRawMessage(owner, envelope, body?.id ?? '')
    expect(raw?.body.toString('utf8')).toContain('<xml>')
  })
})

describe('the search itself', () => {
  test.each([
    ['as it is', (text: string) => `x${text}x`],
    ['in Base64, from any byte on', (text: string) => Buffer.from(`ab${text}c`).toString('base64')],
    ['in Base64 of addresses', (text: string) => Buffer.from(`a${text}`).toString('base64url')],
    ['in hexadecimal', (text: string) => `\\x00${Buffer.from(text).toString('hex')}`],
    ['as bytes in JSON', (text: string) => JSON.stringify(Buffer.from(`..${text}..`))],
    ['in an address', (text: string) => encodeURIComponent(text)],
  ])('a value %s: is found', (_how, written) => {
    for (const value of [OPENID, ADDRESS, PHONE]) {
      expect(secretsIn(written(value), [{ name: 'it', value }])).toEqual(['it'])
      expect(formsOf(value).every((form) => form.length > 8)).toBe(true)
    }
  })

  test('bytes deep within an object: are read', () => {
    const value = { a: [new Map([['b', Buffer.from(OPENID)]])] }
    expect(secretsIn(textOf(value), [{ name: 'it', value: OPENID }])).toEqual(['it'])
  })
})

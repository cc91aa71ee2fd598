import { readFile } from 'node:fs/promises'
import path from 'node:path'

import { afterAll, beforeAll, expect, it } from 'vitest'

import { erasePayerOf } from '../../src/cli/erase-payer.js'
import { openChannelRequest } from '../../src/db/channel-requests.js'
import { Envelope } from '../../src/db/envelope.js'
import { exportBook } from '../../src/ledger/export.js'
import { journalOf } from '../../src/ledger/journal.js'
import { verifyDatabase } from '../../src/ledger/verify-database.js'
import { OPENID } from '../support/api-client.js'
import { secretsIn } from '../support/secret-search.js'
import { eventually, MERCHANT_ID, placed, startStack, type Stack } from '../support/stack.js'
import { makeTestFolder } from '../support/test-folder.js'

let stack: Stack

beforeAll(async () => {
  stack = await startStack({ rate: 60 })
})
afterAll(() => stack.stop())

async function refunded(paymentId: string, amountFen: number): Promise<string> {
  const { body } = await stack.requester.requestRefund({ paymentId, amountFen })
  await stack.approver.decide(body.id, 'approve')
  await eventually(
    async () => (await stack.requester.refund(body.id)).body.state === 'done',
    60_000,
  )
  return body.id
}

const linesOf = async (kind: 'payment' | 'refund', id: string) =>
  (await journalOf(stack.owner, [{ kind, id }])).map(({ rule, amountFen }) => [rule, amountFen])

const PAYER_IP = '198.18.77.232'
const BUYER = [
  { name: 'the openid', value: OPENID },
  { name: 'the address of the payer', value: PAYER_IP },
]

const envelopeOf = (): Envelope =>
  new Envelope(Buffer.from(stack.workerEnvironment['YUANLU_MASTER_KEY'] ?? '', 'base64'))

/** Every order of the book as it reads with the master key, where it still reads. */
async function openedOrders(): Promise<string> {
  const rows = await stack.owner.rows<{ id: string; sealed: Buffer }>(
    { text: 'select id, channel_request as sealed from payments' },
    [],
  )
  return rows
    .filter(({ sealed }) => sealed.length > 0)
    .map(({ id, sealed }) => JSON.stringify(openChannelRequest(envelopeOf(), id, sealed)))
    .join('\n')
}

async function exported(): Promise<string> {
  const file = path.join(await makeTestFolder('erased'), 'book.sql')
  await exportBook(stack.owner, file)
  return readFile(file, 'utf8')
}

const bodies = () =>
  stack.owner.rows<{ id: string }>({ text: 'select inbox_id as id from inbox_bodies' }, [])

it('an erased buyer: is refunded as before, and stands nowhere again', async () => {
  const { requester, sandbox, merchant, owner } = stack
  const body = await placed(stack, { amountFen: 1_000, payerIp: PAYER_IP })
  await sandbox.control.pay({ mchId: merchant.mchId, outTradeNo: body.outTradeNo })
  await eventually(async () => (await requester.payment(body.id)).body.state === 'paid')
  const first = await refunded(body.id, 300)
  expect((await bodies()).length).toBeGreaterThan(0)
  const before = (await requester.payment(body.id)).body

  expect(secretsIn(await openedOrders(), BUYER)).toHaveLength(BUYER.length)

  const payer = { merchantId: MERCHANT_ID, openid: OPENID, isDryRun: false }
  const erasure = await erasePayerOf(owner, envelopeOf(), payer)
  expect(erasure).toMatchObject({ payments: 1, open: 0 })
  expect(await bodies()).toEqual([])
  expect((await requester.payment(body.id)).body).toEqual(before)

  expect(await openedOrders()).toBe('')
  const book = await verifyDatabase(owner)
  expect(book).toMatchObject({ ok: true })

  const second = await refunded(body.id, 700)
  const after = (await requester.payment(body.id)).body
  expect(after).toMatchObject({ state: 'paid', refundedFen: 1_000, reservedFen: 0 })
  expect(await linesOf('payment', body.id)).toEqual([['P1', 1_000]])
  for (const [id, amountFen] of [
    [first, 300],
    [second, 700],
  ] as const) {
    expect(await linesOf('refund', id)).toEqual([
      ['J1', amountFen],
      ['J2', amountFen],
    ])
  }
  expect(await bodies()).toEqual([])
  // The rest of what happens to the payment brings nobody back, and the book stays whole.
  const { entries } = await eventually(async () => {
    const verdict = await verifyDatabase(owner)
    return verdict.ok && verdict.waiting === 0 && verdict
  })
  expect(entries).toBeGreaterThan(book.entries)
  expect(secretsIn(`${await exported()}${await openedOrders()}`, BUYER)).toEqual([])
})

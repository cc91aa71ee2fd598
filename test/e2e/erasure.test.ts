import { afterAll, beforeAll, expect, it } from 'vitest'

import { erasePayerOf } from '../../src/cli/erase-payer.js'
import { Envelope } from '../../src/db/envelope.js'
import { journalOf } from '../../src/ledger/journal.js'
import { OPENID } from '../support/api-client.js'
import { eventually, MERCHANT_ID, startStack, type Stack } from '../support/stack.js'

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

const bodies = () =>
  stack.owner.rows<{ id: string }>({ text: 'select inbox_id as id from inbox_bodies' }, [])

it('an erased buyer: is refunded as before, and stands nowhere again', async () => {
  const { requester, sandbox, merchant, owner } = stack
  const { body } = await requester.createPayment({ amountFen: 1_000 })
  await sandbox.control.pay({ mchId: merchant.mchId, outTradeNo: body.outTradeNo })
  await eventually(async () => (await requester.payment(body.id)).body.state === 'paid')
  const first = await refunded(body.id, 300)
  expect((await bodies()).length).toBeGreaterThan(0)
  const before = (await requester.payment(body.id)).body

  const masterKey = Buffer.from(stack.workerEnvironment['YUANLU_MASTER_KEY'] ?? '', 'base64')
  const payer = { merchantId: MERCHANT_ID, openid: OPENID, isDryRun: false }
  const erasure = await erasePayerOf(owner, new Envelope(masterKey), payer)
  expect(erasure).toMatchObject({ payments: 1, open: 0 })
  expect(await bodies()).toEqual([])
  expect((await requester.payment(body.id)).body).toEqual(before)

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
})

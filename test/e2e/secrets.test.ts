import { afterAll, beforeAll, expect, it } from 'vitest'

import { paymentWorkflowId, refundWorkflowId } from '../../src/domain/ids.js'
import { OPENID } from '../support/api-client.js'
import { eventually, MERCHANT_ID, startStack, type Stack } from '../support/stack.js'

let stack: Stack

beforeAll(async () => {
  stack = await startStack({ rate: 60 })
})
afterAll(() => stack.stop())

/** Everything that must be found nowhere: keys, certificate, private key, and who the buyer is. */
function forbidden(): string[] {
  const body = (pem: string) => pem.split('\n')[3] ?? pem
  const { certPem, keyPem } = stack.merchant
  return [...stack.secrets, OPENID, body(certPem), body(keyPem)].filter(({ length }) => length > 8)
}

it('histories, logs, answers and rows hold no key, no certificate and no openid', async () => {
  const { requester, approver, sandbox, merchant, temporal, owner } = stack
  const created = await requester.createPayment({ amountFen: 1_000 })
  const { outTradeNo, id } = created.body
  await sandbox.control.pay({ mchId: merchant.mchId, outTradeNo })
  await eventually(async () => (await requester.payment(id)).body.state === 'paid')
  const asked = await requester.requestRefund({ paymentId: id, amountFen: 400 })
  await approver.decide(asked.body.id, 'approve')
  await eventually(async () => (await requester.refund(asked.body.id)).body.state === 'done')
  const bad = await requester.createPayment({ amountFen: -1, openid: `${OPENID}!` })

  const histories = await Promise.all(
    [
      paymentWorkflowId(MERCHANT_ID, outTradeNo),
      refundWorkflowId(MERCHANT_ID, asked.body.outRefundNo),
    ].map(async (workflowId) => {
      const history = await temporal.workflow.getHandle(workflowId).fetchHistory()
      // Payloads are bytes in a history; as text, a secret in them would be seen.
      return JSON.stringify(history, (_key, value: unknown) =>
        value instanceof Uint8Array ? Buffer.from(value).toString('utf8') : value,
      )
    }),
  )
  const tables = await owner.rows<{ name: string }>(
    { text: `select tablename as name from pg_tables where schemaname = 'public'` },
    [],
  )
  const rows = await Promise.all(
    tables.map(async ({ name }) => JSON.stringify(await owner.rows({ text: `table ${name}` }, []))),
  )
  const answers = JSON.stringify([created.body, asked.body, bad.body])
  const places = { histories, logs: stack.logLines, answers: [answers], rows }
  expect(stack.logLines.length).toBeGreaterThan(5)
  expect(rows.length).toBeGreaterThan(10)
  for (const [place, texts] of Object.entries(places)) {
    for (const secret of forbidden()) {
      expect(texts.join('\n').includes(secret), `a secret in ${place}`).toBe(false)
    }
  }
})

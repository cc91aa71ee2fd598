import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { erasePayerOf } from '../../src/cli/erase-payer.js'
import { findRawMessage } from '../../src/db/inbox-bodies.js'
import { NOTIFICATION_SUCCESS } from '../../src/wechat/v2/notifications.js'
import { OTHER_KEY, paidFields, signedXml, type Fields } from './paid-notification.js'
import {
  MERCHANT,
  onceKey,
  OPENID,
  ORDER,
  paidPayment,
  send,
  startServer,
  type ServerUnderTest,
} from './server-under-test.js'

let server: ServerUnderTest

beforeAll(async () => {
  server = await startServer()
})
afterAll(() => server.stop())

async function newPayment(): Promise<{ id: string; outTradeNo: string }> {
  const sent = { idempotencyKey: onceKey(), body: ORDER }
  return (await send(server, 'POST /v1/payments', sent)).json()
}

const post = (body: string, headers: Fields = {}) =>
  server.app.inject({
    method: 'POST',
    url: `/notify/${server.merchant.notifyToken}/payment`,
    headers: { 'content-type': 'text/xml', ...headers },
    payload: body,
  })

interface StoredBody {
  readonly id: string
  readonly ciphertext: Buffer | null
}

/** Every fact about a payment, with its bytes where they are kept. */
const storedOf = (paymentId: string) =>
  server.owner.rows<StoredBody>(
    {
      text: `select i.id, b.ciphertext from inbox i left join inbox_bodies b on b.inbox_id = i.id
        where i.subject_id = $1`,
    },
    [paymentId],
  )

describe('the bytes of a notification', () => {
  test('one that is verified: is kept once, encrypted, with what describes it', async () => {
    const payment = await newPayment()
    const body = signedXml(paidFields(payment.outTradeNo))
    await post(body, {
      'user-agent': 'Mozilla/4.0',
      authorization: 'Bearer secret',
      cookie: 'secret',
    })
    await post(body)
    const [stored, ...others] = await storedOf(payment.id)
    expect(others).toEqual([])
    expect(stored?.ciphertext?.includes(OPENID)).toBe(false)
    const raw = await findRawMessage(server.worker, server.envelope, stored?.id ?? '')
    expect(raw?.body.toString('utf8')).toBe(body)
    expect(raw?.headers).toEqual({ 'content-type': 'text/xml', 'user-agent': 'Mozilla/4.0' })
  })

  test('one that is refused: leaves nothing', async () => {
    const payment = await newPayment()
    await post(signedXml(paidFields(payment.outTradeNo), OTHER_KEY))
    expect(await storedOf(payment.id)).toEqual([])
    const orphans = await server.owner.rows(
      { text: 'select 1 from inbox_bodies where inbox_id not in (select id from inbox)' },
      [],
    )
    expect(orphans).toEqual([])
  })

  test('a late one of a buyer who was erased: is stored without them', async () => {
    const payment = await paidPayment(server, 1_000)
    const payer = { merchantId: MERCHANT.id, openid: OPENID, isDryRun: false }
    await erasePayerOf(server.owner, server.envelope, payer)
    const answer = await post(signedXml(paidFields(payment.outTradeNo)))
    expect(answer.body).toBe(NOTIFICATION_SUCCESS)
    expect(await storedOf(payment.id)).toMatchObject([{ ciphertext: null }])
  })
})

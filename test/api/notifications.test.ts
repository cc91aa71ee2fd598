import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest'

import { markFactsApplied } from '../../src/db/inbox.js'
import { inTransaction } from '../../src/db/transaction.js'
import { NOTIFICATION_SUCCESS } from '../../src/wechat/v2/notifications.js'
import { writeXml } from '../../src/wechat/v2/xml-writer.js'
import {
  API_V2_KEY,
  onceKey,
  OPENID,
  ORDER,
  paidPayment,
  rowCounts,
  send,
  startServer,
  type ServerUnderTest,
} from './server-under-test.js'
import { OTHER_KEY, paidFields, signedXml, type Fields } from './paid-notification.js'
import { refundedFields, sealedXml } from './refund-notification.js'

let server: ServerUnderTest

beforeAll(async () => {
  server = await startServer()
})
afterAll(() => server.stop())
afterEach(() => {
  server.engine.reachable = true
  server.engine.calls.length = 0
})

async function newPayment(): Promise<{ id: string; outTradeNo: string }> {
  const sent = { idempotencyKey: onceKey(), body: ORDER }
  return (await send(server, 'POST /v1/payments', sent)).json()
}

const refundXml = (outRefundNo: string, outTradeNo: string, key?: string): string =>
  sealedXml(refundedFields(outRefundNo, outTradeNo), key)

const post = (
  body: string | Buffer,
  kind = 'payment',
  token = server.merchant.notifyToken,
  headers: Fields = { 'content-type': 'text/xml' },
) => server.app.inject({ method: 'POST', url: `/notify/${token}/${kind}`, headers, payload: body })

const inboxOf = (subjectId: string) =>
  server.owner.rows<Record<string, unknown>>(
    {
      text: `select kind, source, verified_by, times_seen, signalled_at is not null as signalled,
        fact from inbox where subject_id = $1`,
    },
    [subjectId],
  )

async function eventually(check: () => Promise<void>): Promise<void> {
  await expect.poll(async () => check().then(() => true), { timeout: 20_000 }).toBe(true)
}

describe('a payment notification', () => {
  test.each(['MD5', 'HMAC-SHA256'] as const)(
    'signed with %s: is stored, answered exactly, and told to the workflow',
    async (type) => {
      const payment = await newPayment()
      server.engine.calls.length = 0
      const answer = await post(signedXml(paidFields(payment.outTradeNo), API_V2_KEY, type))
      expect([answer.statusCode, answer.body]).toEqual([200, NOTIFICATION_SUCCESS])
      expect(NOTIFICATION_SUCCESS).toBe(
        '<xml><return_code><![CDATA[SUCCESS]]></return_code>' +
          '<return_msg><![CDATA[OK]]></return_msg></xml>',
      )
      await eventually(async () => {
        expect(await inboxOf(payment.id)).toMatchObject([
          { source: 'notify', verified_by: 'signature', times_seen: 1, signalled: true },
        ])
      })
      expect(server.engine.calls).toMatchObject([{ name: 'paymentFact', id: payment.id }])
    },
  )

  test('what is stored: names no buyer', async () => {
    const payment = await newPayment()
    await post(signedXml(paidFields(payment.outTradeNo)))
    const [row] = await inboxOf(payment.id)
    expect(row?.['fact']).toMatchObject({ kind: 'paid', totalFen: 1_000, cashFen: 1_000 })
    expect(JSON.stringify(row)).not.toContain(OPENID)
  })

  test('the same twice: is one row, counted twice', async () => {
    const payment = await newPayment()
    const body = signedXml(paidFields(payment.outTradeNo))
    await post(body)
    await post(body)
    expect(await inboxOf(payment.id)).toMatchObject([{ times_seen: 2 }])
  })

  test('one that was applied already: is a duplicate and told to nobody', async () => {
    const payment = await newPayment()
    const body = signedXml(paidFields(payment.outTradeNo))
    await post(body)
    const ids = await server.owner.rows<{ id: string }>(
      { text: 'select id from inbox where subject_id = $1' },
      [payment.id],
    )
    await inTransaction(server.worker, (tx) =>
      markFactsApplied(
        tx,
        ids.map(({ id }) => id),
        'accepted',
        new Date(),
      ),
    )
    await eventually(async () => expect(server.engine.calls).not.toEqual([]))
    server.engine.calls.length = 0
    const answer = await post(body)
    expect([answer.statusCode, answer.body]).toEqual([200, NOTIFICATION_SUCCESS])
    expect(server.engine.calls).toEqual([])
    expect(await server.registry.metrics()).toMatch(
      /notifications_total\{kind="payment",result="duplicate"\} 1/,
    )
  })

  test('with another amount: is stored, for the engine to hold', async () => {
    const payment = await newPayment()
    const answer = await post(
      signedXml({ ...paidFields(payment.outTradeNo), total_fee: '1', cash_fee: '1' }),
    )
    expect(answer.body).toBe(NOTIFICATION_SUCCESS)
    expect(await inboxOf(payment.id)).toHaveLength(1)
  })

  test('with unknown fields and another content type: is believed by its signature', async () => {
    const payment = await newPayment()
    const body = signedXml({ ...paidFields(payment.outTradeNo), brand_new: '1E5' })
    const answer = await post(body, 'payment/', server.merchant.notifyToken, {
      'content-type': 'application/octet-stream',
    })
    expect(answer.body).toBe(NOTIFICATION_SUCCESS)
  })

  test('when the engine is away: is stored and answered all the same', async () => {
    const payment = await newPayment()
    server.engine.reachable = false
    const answer = await post(signedXml(paidFields(payment.outTradeNo)))
    expect(answer.body).toBe(NOTIFICATION_SUCCESS)
    expect(await inboxOf(payment.id)).toMatchObject([{ signalled: false }])
  })
})

describe('a refund notification', () => {
  test('encrypted with our key: is stored and told to the workflow', async () => {
    const paid = await paidPayment(server, 1_000)
    const asked = await send(server, 'POST /v1/refunds', {
      idempotencyKey: onceKey(),
      body: { paymentId: paid.id, amountFen: 100, reason: 'r', actingUser: 'li.na' },
    })
    const refund = asked.json<{ id: string; outRefundNo: string }>()
    const answer = await post(refundXml(refund.outRefundNo, paid.outTradeNo), 'refund')
    expect([answer.statusCode, answer.body]).toEqual([200, NOTIFICATION_SUCCESS])
    await eventually(async () => {
      expect(await inboxOf(refund.id)).toMatchObject([
        { kind: 'refund', verified_by: 'decryption', signalled: true },
      ])
    })
    expect(server.engine.calls.at(-1)).toMatchObject({ name: 'refundFact', id: refund.id })
  })

  test.each([
    ['encrypted with another key', OTHER_KEY],
    ['of a refund that is not ours', API_V2_KEY],
  ])('%s: is refused and writes nothing', async (_what, key) => {
    const before = await rowCounts(server)
    const answer = await post(refundXml('R000000000000', 'P000000', key), 'refund')
    expect(answer.statusCode).toBe(400)
    expect(answer.body).toContain('FAIL')
    expect(await rowCounts(server)).toEqual(before)
  })

  test('of a refund by the API that is not ours, of an order that is: writes nothing', async () => {
    const paid = await paidPayment(server, 1_000)
    const before = await rowCounts(server)
    const answer = await post(refundXml('R000000000000', paid.outTradeNo), 'refund')
    expect(answer.statusCode).toBe(400)
    expect(await rowCounts(server)).toEqual(before)
  })
})

describe('a notification that is not ours to believe', () => {
  const dtd = '<!DOCTYPE xml [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
  test.each([
    // what it is             the body                                                   reason
    ['unsigned', (no: string) => writeXml(Object.entries(paidFields(no))), 'unsigned'],
    [
      'signed with another key',
      (no: string) => signedXml(paidFields(no), OTHER_KEY),
      'bad_signature',
    ],
    [
      'changed after signing',
      (no: string) => signedXml(paidFields(no)).replaceAll('1000', '9999'),
      'bad_signature',
    ],
    [
      'of another merchant',
      (no: string) => signedXml({ ...paidFields(no), mch_id: '1900000001' }),
      'foreign_merchant',
    ],
    [
      'of another app',
      (no: string) => signedXml({ ...paidFields(no), appid: 'wx0000000000000000' }),
      'foreign_app',
    ],
    ['of an order nobody knows', () => signedXml(paidFields('NOTOURS123')), 'unknown_number'],
    [
      'of a payment that failed',
      (no: string) => signedXml({ ...paidFields(no), result_code: 'FAIL' }),
      'not_success',
    ],
    [
      'without an amount',
      (no: string) => {
        const { total_fee: _left, ...rest } = paidFields(no)
        return signedXml(rest)
      },
      'incomplete',
    ],
    [
      'with an amount that is no integer',
      (no: string) => signedXml({ ...paidFields(no), total_fee: '10.5' }),
      'incomplete',
    ],
    ['with a DTD', (no: string) => dtd + signedXml(paidFields(no)), 'malformed'],
    [
      'with an entity',
      (no: string) => signedXml(paidFields(no)).replace('<![CDATA[CNY]]>', '&e;'),
      'malformed',
    ],
    ['no XML', () => '{"out_trade_no":"x"}', 'malformed'],
    ['empty', () => '', 'malformed'],
    ['cut off', (no: string) => signedXml(paidFields(no)).slice(0, 100), 'malformed'],
  ])('%s: is refused, counted, and writes nothing', async (_what, body, reason) => {
    const { outTradeNo } = await newPayment()
    const [before, counted] = [await rowCounts(server), await countOf(reason)]
    server.engine.calls.length = 0
    const answer = await post(body(outTradeNo))
    expect(answer.statusCode).toBe(400)
    expect(answer.headers['content-type']).toContain('text/xml')
    expect(answer.body).toContain('<return_code><![CDATA[FAIL]]></return_code>')
    expect(await rowCounts(server)).toEqual(before)
    expect(await countOf(reason)).toBe(counted + 1)
    expect(server.engine.calls).toEqual([])
  })

  test('too large: is refused before it is read', async () => {
    const answer = await post('x'.repeat(65 * 1024))
    expect(answer.statusCode).toBe(413)
    expect(answer.body).toContain('FAIL')
  })

  test.each(['x', 'x'.repeat(22), '../../v1', 'x'.repeat(200)])(
    'at the unknown token %s: is not found',
    async (token) => {
      const answer = await post('<xml></xml>', 'payment', encodeURIComponent(token))
      expect([answer.statusCode, answer.json().code]).toEqual([404, 'not_found'])
    },
  )

  test.each(['GET', 'PUT', 'DELETE', 'PATCH'] as const)('%s: is not allowed', async (method) => {
    const url = `/notify/${server.merchant.notifyToken}/payment`
    const answer = await server.app.inject({ method, url })
    expect([answer.statusCode, answer.json().code]).toEqual([405, 'method_not_allowed'])
    expect(answer.headers['allow']).toBe('POST')
  })

  test('all of these: leave no secret, token or buyer in the log', () => {
    const log = server.logLines.join('')
    expect(log).toContain('notification refused')
    for (const secret of [API_V2_KEY, OPENID, server.merchant.notifyToken, '4200P']) {
      expect(log.includes(secret), secret).toBe(false)
    }
  })
})

describe('a notification that cannot be stored', () => {
  const storing = (right: 'grant to' | 'revoke from') => {
    const [verb, preposition] = right.split(' ')
    const functions = 'store_notification, store_payment_notification'
    const text = `${verb} execute on function ${functions} ${preposition} yuanlu_api`
    return server.owner.rows({ text }, [])
  }

  test.each(['payment', 'refund'])(
    'of a %s: is answered FAIL, and SUCCESS no sooner than it is a row',
    async (kind) => {
      const paid = await paidPayment(server, 1_000)
      const asked = await send(server, 'POST /v1/refunds', {
        idempotencyKey: onceKey(),
        body: { paymentId: paid.id, amountFen: 100, reason: 'r', actingUser: 'li.na' },
      })
      const refund = asked.json<{ id: string; outRefundNo: string }>()
      const isPayment = kind === 'payment'
      const subjectId = isPayment ? paid.id : refund.id
      const body = isPayment
        ? signedXml(paidFields(paid.outTradeNo))
        : refundXml(refund.outRefundNo, paid.outTradeNo)
      await storing('revoke from')
      onTestFinished(async () => void (await storing('grant to')))
      const refused = await post(body, kind)
      expect(refused.statusCode).toBe(503)
      expect(refused.body).toContain('FAIL')
      expect(await inboxOf(subjectId)).toEqual([])
      await storing('grant to')
      expect((await post(body, kind)).body).toBe(NOTIFICATION_SUCCESS)
      expect(await inboxOf(subjectId)).toHaveLength(1)
    },
  )
})

describe('without a database', () => {
  test('a good notification: is answered FAIL, so that it comes again', async () => {
    const broken = await startServer()
    try {
      const sent = { idempotencyKey: onceKey(), body: ORDER }
      const { outTradeNo } = (await send(broken, 'POST /v1/payments', sent)).json()
      await broken.database.drop()
      const answer = await broken.app.inject({
        method: 'POST',
        url: `/notify/${broken.merchant.notifyToken}/payment`,
        headers: { 'content-type': 'text/xml' },
        payload: signedXml(paidFields(outTradeNo)),
      })
      expect(answer.statusCode).toBe(503)
      expect(answer.body).toContain('FAIL')
      const call = await send(broken, 'POST /v1/payments', sent)
      expect(call.json().retry).toBe('later')
    } finally {
      await broken.stop().catch(() => undefined)
    }
  })
})

async function countOf(reason: string): Promise<number> {
  const line = (await server.registry.metrics())
    .split('\n')
    .find((each) => each.startsWith(`notifications_total{kind="payment",result="${reason}"}`))
  return Number(line?.split(' ').at(-1) ?? 0)
}

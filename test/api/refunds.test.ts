import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'

import {
  onceKey,
  paidPayment,
  rowCounts,
  send,
  startServer,
  type ServerUnderTest,
} from './server-under-test.js'
import { applyDecision } from './support/apply-decision.js'

let server: ServerUnderTest

beforeAll(async () => {
  server = await startServer()
})
afterAll(() => server.stop())
afterEach(() => {
  server.engine.reachable = true
  server.engine.calls.length = 0
  server.engine.onDecision = async () => undefined
})

interface RefundAnswer {
  readonly id: string
  readonly state: string
  readonly code?: string
}

const ask = (body: object, idempotencyKey = onceKey()) =>
  send(server, 'POST /v1/refunds', {
    idempotencyKey,
    body: { amountFen: 100, reason: '不想要了', actingUser: 'li.na', ...body },
  })

async function pending(): Promise<string> {
  const { id: paymentId } = await paidPayment(server)
  return (await ask({ paymentId })).json<RefundAnswer>().id
}

const decide = (
  id: string,
  verb: 'approve' | 'reject' | 'cancel',
  actingUser = 'wang.wei',
  key = server.keys.approver,
) => send(server, `POST /v1/refunds/${id}/${verb}`, { key, body: { actingUser, reason: 'seen' } })

const apply = (decisionId: string) => applyDecision(server.worker, decisionId)

describe('requesting a refund', () => {
  test('within what was paid: is pending and reserved, and its workflow is started', async () => {
    const { id: paymentId } = await paidPayment(server, 10_000)
    const answer = await ask({ paymentId, amountFen: 4_000 })
    expect(answer.statusCode).toBe(201)
    expect(answer.json()).toMatchObject({
      paymentId,
      amountFen: 4_000,
      state: 'pending',
      words: { backOffice: '待审核', buyer: '待商家处理', en: 'waiting for approval' },
      actingUser: 'li.na',
      submitCount: 0,
    })
    const payment = await send(server, `GET /v1/payments/${paymentId}`)
    expect(payment.json()).toMatchObject({ reservedFen: 4_000, refundableFen: 6_000 })
    const [call] = server.engine.calls.filter(({ name }) => name === 'startRefund')
    expect(call?.id).toBe(answer.json().id)
    // Half of 24 hours, when it is reminded of.
    expect(Number(call?.argument)).toBeGreaterThan(43_100_000)
  })

  test.each(['outTradeNo', 'transactionId'] as const)(
    'by its %s: finds the payment',
    async (by) => {
      const paid = await paidPayment(server)
      const answer = await ask({ [by]: paid[by] })
      expect([answer.statusCode, answer.json().paymentId]).toEqual([201, paid.id])
    },
  )

  test('the same key and body: is the same refund', async () => {
    const { id: paymentId } = await paidPayment(server)
    const key = onceKey()
    const first = await ask({ paymentId }, key)
    const again = await ask({ paymentId }, key)
    expect([again.statusCode, again.json().id]).toEqual([201, first.json().id])
    const other = await ask({ paymentId, amountFen: 101 }, key)
    expect([other.statusCode, other.json().code]).toEqual([409, 'idempotency_key_reused'])
  })

  test('a refused request: leaves its key unused', async () => {
    const { id: paymentId } = await paidPayment(server, 100)
    const key = onceKey()
    expect((await ask({ paymentId, amountFen: 101 }, key)).statusCode).toBe(409)
    expect((await ask({ paymentId, amountFen: 100 }, key)).statusCode).toBe(201)
  })

  test('fifty at once of a tenth each: ten are pending and forty exceed the payment', async () => {
    const { id: paymentId } = await paidPayment(server, 10_000)
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => ask({ paymentId, amountFen: 1_000 })),
    )
    const states = answers.map((answer) => answer.json<RefundAnswer>())
    expect(states.filter(({ state }) => state === 'pending')).toHaveLength(10)
    expect(states.filter(({ code }) => code === 'refund_exceeds_payment')).toHaveLength(40)
  })

  test('an engine that is away: is 503, and the same key starts the workflow later', async () => {
    const { id: paymentId } = await paidPayment(server)
    const key = onceKey()
    server.engine.reachable = false
    const away = await ask({ paymentId }, key)
    expect([away.statusCode, away.json().code]).toEqual([503, 'engine_unavailable'])
    server.engine.reachable = true
    const again = await ask({ paymentId }, key)
    expect(again.statusCode).toBe(201)
    expect(server.engine.calls.map(({ name }) => name)).toContain('startRefund')
  })
})

describe('deciding about a refund', () => {
  test.each([
    ['approve', 'approved'],
    ['reject', 'rejected'],
    ['cancel', 'cancelled'],
  ] as const)(
    '%s: is applied by the workflow and answered with the refund',
    async (verb, state) => {
      const id = await pending()
      server.engine.onDecision = apply
      const answer = await decide(id, verb)
      expect([answer.statusCode, answer.json().state]).toEqual([200, state])
      expect(answer.json().decisions).toMatchObject([
        { verb, actingUser: 'wang.wei', reason: 'seen', outcome: 'applied' },
      ])
      const [row] = await server.owner.rows<{ at: Date | null }>(
        { text: 'select signalled_at as at from refund_decisions where refund_id = $1' },
        [id],
      )
      expect(row?.at).toBeInstanceOf(Date)
    },
  )

  test('the same again by the same: is answered the same, without another row', async () => {
    const id = await pending()
    server.engine.onDecision = apply
    await decide(id, 'approve')
    const before = await rowCounts(server)
    server.engine.calls.length = 0
    const again = await decide(id, 'approve')
    expect([again.statusCode, again.json().state]).toEqual([200, 'approved'])
    expect(server.engine.calls).toEqual([])
    expect(await rowCounts(server)).toEqual(before)
  })

  test.each([
    ['approving twice', 'approve', 'approve', 'approved'],
    ['approving a rejected one', 'reject', 'approve', 'rejected'],
    ['rejecting an approved one', 'approve', 'reject', 'approved'],
    ['cancelling a rejected one', 'reject', 'cancel', 'rejected'],
  ] as const)('%s: is a conflict that writes nothing', async (_what, first, second, state) => {
    const id = await pending()
    server.engine.onDecision = apply
    await decide(id, first)
    const before = await rowCounts(server)
    server.engine.calls.length = 0
    const answer = await decide(id, second, 'zhao.min')
    expect(answer.statusCode).toBe(409)
    expect(answer.json()).toMatchObject({ code: 'refund_state_conflict', state })
    expect(await rowCounts(server)).toEqual(before)
    expect(server.engine.calls).toEqual([])
  })

  test('the one who asked: may not approve, under any key', async () => {
    const id = await pending()
    server.engine.onDecision = apply
    const answer = await decide(id, 'approve', ' LI.NA ')
    expect([answer.statusCode, answer.json().code]).toEqual([409, 'same_principal'])
    const refund = await send(server, `GET /v1/refunds/${id}`)
    expect(refund.json()).toMatchObject({
      state: 'pending',
      decisions: [{ outcome: 'same_principal' }],
    })
    expect((await decide(id, 'approve')).statusCode).toBe(200)
  })

  test('the one who asked: may cancel with the right to ask only', async () => {
    const id = await pending()
    server.engine.onDecision = apply
    const answer = await decide(id, 'cancel', 'li.na', server.keys.asker)
    expect([answer.statusCode, answer.json().state]).toEqual([200, 'cancelled'])
  })

  test('two at once: one wins and the other is told the winner', async () => {
    const id = await pending()
    server.engine.onDecision = apply
    const [approved, rejected] = await Promise.all([
      decide(id, 'approve', 'wang.wei'),
      decide(id, 'reject', 'zhao.min'),
    ])
    const statuses = [approved.statusCode, rejected.statusCode].toSorted((a, b) => a - b)
    expect(statuses).toEqual([200, 409])
  })

  test('a workflow that takes long: is 202 recorded after five seconds', async () => {
    const id = await pending()
    const answer = await decide(id, 'approve')
    expect([answer.statusCode, answer.json().outcome]).toEqual([202, 'recorded'])
    server.engine.onDecision = apply
    const again = await decide(id, 'approve')
    expect([again.statusCode, again.json().state]).toEqual([200, 'approved'])
  })

  test('an engine that is away: is 202 recorded at once, for the redelivery to send', async () => {
    const id = await pending()
    server.engine.reachable = false
    const answer = await decide(id, 'approve')
    expect([answer.statusCode, answer.json().outcome]).toEqual([202, 'recorded'])
    const [row] = await server.owner.rows<{ signalled: Date | null }>(
      { text: 'select signalled_at as signalled from refund_decisions where refund_id = $1' },
      [id],
    )
    expect(row?.signalled).toBeNull()
  })

  test.each(['approve', 'reject', 'cancel'] as const)(
    '%s without a reason or an acting user: is refused and writes nothing',
    async (verb) => {
      const id = await pending()
      const before = await rowCounts(server)
      const answer = await send(server, `POST /v1/refunds/${id}/${verb}`, {
        key: server.keys.approver,
        body: { reason: '' },
      })
      expect(answer.statusCode).toBe(400)
      expect(
        answer
          .json()
          .errors.map(({ field }: { field: string }) => field)
          .toSorted(),
      ).toEqual(['actingUser', 'reason'])
      expect(await rowCounts(server)).toEqual(before)
    },
  )
})

describe('reading refunds', () => {
  test('a list: holds the refunds of one payment', async () => {
    const { id: paymentId } = await paidPayment(server)
    await ask({ paymentId, amountFen: 1 })
    await ask({ paymentId, amountFen: 2 })
    const answer = await send(server, `GET /v1/refunds?paymentId=${paymentId}&state=pending`)
    const { items, nextCursor } = answer.json()
    expect(items.map(({ amountFen }: { amountFen: number }) => amountFen).toSorted()).toEqual([
      1, 2,
    ])
    expect(nextCursor).toBeNull()
  })
})

import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'

import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'

import { ChangeWaiter } from '../../src/api/change-waiter.js'
import { markFactsApplied } from '../../src/db/inbox.js'
import { markClosed, markPlaceRefused, markResolved } from '../../src/db/payments.js'
import { inTransaction } from '../../src/db/transaction.js'
import {
  onceKey,
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
beforeEach(() => {
  server.engine.reachable = true
  server.engine.placing = 'placed'
  server.engine.calls.length = 0
  server.engine.onAsk = async () => 'not_paid'
  server.engine.onPaymentFact = async () => undefined
})

interface Answered {
  readonly id: string
  readonly code: string
  readonly state: string
  readonly disposition: string
  readonly channel: { readonly said: string }
}

async function open(): Promise<string> {
  const created = await send(server, 'POST /v1/payments', {
    idempotencyKey: onceKey(),
    body: ORDER,
  })
  return created.json<Answered>().id
}

async function call(path: string, sent: Parameters<typeof send>[2] = {}) {
  const answer = await send(server, `POST /v1/payments/${path}`, sent)
  return { status: answer.statusCode, headers: answer.headers, body: answer.json<Answered>() }
}

const close = (id: string) =>
  inTransaction(server.worker, (tx) => markClosed(tx.lock('payment'), id, new Date()))

describe('asking the channel about a payment', () => {
  test('what it says: is answered beside the payment', async () => {
    const id = await open()
    const { status, body } = await call(`${id}/query`)
    expect(status).toBe(200)
    expect(body).toMatchObject({ id, state: 'awaiting_payment', channel: { said: 'not_paid' } })
    expect(server.engine.calls.at(-1)).toEqual({ name: 'askPayment', id, argument: 'query' })
  })

  test('what it says and the engine booked: is in the payment', async () => {
    const id = await open()
    server.engine.onAsk = async () => {
      await close(id)
      return 'closed'
    }
    expect((await call(`${id}/query`)).body).toMatchObject({
      state: 'closed',
      channel: { said: 'closed' },
    })
  })

  test.each(['late', 'unknown'] as const)('no answer (%s): is told as such', async (said) => {
    const id = await open()
    server.engine.onAsk = async () => said
    const { status, body } = await call(`${id}/query`)
    expect([status, body.code]).toEqual([503, 'channel_unavailable'])
  })

  test('the engine away: is told', async () => {
    const id = await open()
    server.engine.reachable = false
    const { status, body } = await call(`${id}/query`)
    expect([status, body.code]).toEqual([503, 'engine_unavailable'])
  })

  test.each([
    ['of nobody', 'asker', () => randomUUID(), 404],
    ['without the scope', 'reader', open, 403],
  ] as const)('a payment %s: is refused', async (_name, key, idOf, expected) => {
    const { status } = await call(`${await idOf()}/query`, { key: server.keys[key] })
    expect(status).toBe(expected)
  })
})

describe('closing a payment', () => {
  test('not paid: is closed, and closing again is done already', async () => {
    const id = await open()
    server.engine.onAsk = async () => {
      await close(id)
      return 'closed'
    }
    for (let n = 0; n < 2; n += 1) {
      const { status, body } = await call(`${id}/close`)
      expect([status, body.state]).toEqual([200, 'closed'])
    }
    expect(server.engine.calls.filter(({ name }) => name === 'askPayment')).toEqual([
      { name: 'askPayment', id, argument: 'close' },
    ])
  })

  test('paid: is refused without asking', async () => {
    const { id } = await paidPayment(server)
    server.engine.calls.length = 0
    const { status, body } = await call(`${id}/close`)
    expect([status, body.code]).toEqual([409, 'payment_paid'])
    expect(server.engine.calls).toEqual([])
  })

  test('refused by WeChat Pay before: cannot be closed', async () => {
    server.engine.placing = 'late'
    const id = await open()
    await markPlaceRefused(server.worker, id, 'NOAUTH', new Date())
    const { status, body } = await call(`${id}/close`)
    expect([status, body.code]).toEqual([409, 'payment_not_open'])
  })

  test.each([
    ['paying', 409, 'payment_being_paid'],
    ['not_exist', 409, 'payment_being_placed'],
    ['refused', 503, 'channel_unavailable'],
    ['unknown', 503, 'channel_unavailable'],
    ['late', 503, 'channel_unavailable'],
  ] as const)('the channel says %s: nothing is closed', async (said, expected, code) => {
    const id = await open()
    server.engine.onAsk = async () => said
    const { status, body } = await call(`${id}/close`)
    expect([status, body.code]).toEqual([expected, code])
  })
})

const decision = (as: string) => ({ as, actingUser: 'Ann', reason: 'asked the buyer' })
const office = (as: string) => ({ key: server.keys.approver, body: decision(as) })

/** The engine applies a decision as a worker would. */
function applies(disposition: 'accepted' | 'surplus', outcome: string = disposition): void {
  server.engine.onPaymentFact = (id) =>
    inTransaction(server.worker, async (tx) => {
      const now = new Date()
      if (outcome === disposition) {
        markResolved(tx.lock('payment'), id, { disposition, attention: null, now })
      }
      const fact = server.engine.calls.at(-1)?.argument as string
      await markFactsApplied(tx, [fact], outcome, now)
    })
}

describe('deciding about held money', () => {
  test.each([
    ['accept', 'accepted'],
    ['refund', 'surplus'],
  ] as const)(
    '%s: is applied, and saying it again is told what stands',
    async (as, disposition) => {
      const { id } = await paidPayment(server, 1_000, 'held')
      applies(disposition)
      for (let n = 0; n < 2; n += 1) {
        const { status, body } = await call(`${id}/resolve`, office(as))
        expect([status, body.disposition]).toEqual([200, disposition])
      }
      const other = as === 'accept' ? 'refund' : 'accept'
      const opposite = await call(`${id}/resolve`, office(other))
      expect([opposite.status, opposite.body.code]).toEqual([409, 'payment_not_held'])
      const rows = await server.owner.rows<object>(
        {
          text: `select source, verified_by as by, fact->>'actingUser' as "user",
          fact->>'principalId' as key from inbox where subject_id = $1`,
        },
        [id],
      )
      expect(rows).toMatchObject([{ source: 'manual', by: 'api_key', user: 'Ann' }])
    },
  )

  test.each([
    ['already_decided', 'payment_not_held'],
    ['unacceptable', 'payment_not_held'],
    ['order_paid', 'order_ref_open'],
  ] as const)('the workflow finds it %s: is refused', async (outcome, code) => {
    const { id } = await paidPayment(server, 1_000, 'held')
    applies('accepted', outcome)
    const { status, body } = await call(`${id}/resolve`, office('accept'))
    expect([status, body.code]).toEqual([409, code])
  })

  test('the engine away: stands in its row, and is applied later', async () => {
    const { id } = await paidPayment(server, 1_000, 'held')
    server.engine.reachable = false
    const { status, headers, body } = await call(`${id}/resolve`, office('accept'))
    expect([status, headers['retry-after'], body.disposition]).toEqual([202, '2', 'held'])
  })

  test.each([
    ['accepted money', 'accepted', 'approver', decision('accept'), 409, 'payment_not_held'],
    ['a decision that is none', 'held', 'approver', decision('keep'), 400, 'invalid_request'],
    ['nobody acting', 'held', 'approver', { as: 'accept', reason: 'x' }, 400, 'invalid_request'],
    ['a key that may not decide', 'held', 'asker', decision('accept'), 403, 'forbidden'],
  ] as const)('%s: is refused', async (_name, disposition, key, body, expected, code) => {
    const { id } = await paidPayment(server, 1_000, disposition)
    const answer = await call(`${id}/resolve`, { key: server.keys[key], body })
    expect([answer.status, answer.body.code]).toEqual([expected, code])
  })
})

describe('waiting for a change of state', () => {
  const get = async (id: string, wait: number | string) => {
    const startedMs = performance.now()
    const answer = await send(server, `GET /v1/payments/${id}?wait=${wait}`)
    const tookMs = performance.now() - startedMs
    return { status: answer.statusCode, body: answer.json<Answered>(), tookMs }
  }

  test('no change: answers as it stands when the time is over', async () => {
    const { status, body, tookMs } = await get(await open(), 1)
    expect([status, body.state]).toEqual([200, 'awaiting_payment'])
    expect(tookMs).toBeGreaterThanOrEqual(990)
  })

  test('a change: answers with it, to everybody who waits', async () => {
    const id = await open()
    const waiting = Promise.all([get(id, 30), get(id, 30)])
    await sleep(100)
    await close(id)
    for (const { body, tookMs } of await waiting) {
      expect(body.state).toBe('closed')
      expect(tookMs).toBeLessThan(10_000)
    }
  })

  test('a refund: is waited for in the same way', async () => {
    const { id: paymentId } = await paidPayment(server)
    const asked = await send(server, 'POST /v1/refunds', {
      idempotencyKey: onceKey(),
      body: { paymentId, amountFen: 1, reason: 'cold', actingUser: 'Bob' },
    })
    const { id } = asked.json<Answered>()
    const waiting = send(server, `GET /v1/refunds/${id}?wait=30`)
    await sleep(100)
    await server.worker.rows({ text: "update refunds set state = 'rejected' where id = $1" }, [id])
    expect((await waiting).json<Answered>().state).toBe('rejected')
  })

  test.each([31, -1, 'soon'])('wait=%s: is refused', async (wait) => {
    expect((await get(await open(), wait)).status).toBe(400)
  })

  test('a hundred who wait: are all answered', async () => {
    const ids = await Promise.all(Array.from({ length: 5 }, open))
    const waiting = Array.from({ length: 100 }, (_, n) => get(ids[n % 5] ?? '', 30))
    await sleep(300)
    await Promise.all(ids.map(close))
    const answers = await Promise.all(waiting)
    expect(answers.every(({ body }) => body.state === 'closed')).toBe(true)
  })

  test('a hundred who wait: are asked for with one statement at a time', async () => {
    const questions: ((standing: string) => void)[] = []
    const waiter = new ChangeWaiter(async (ids) => {
      const standing = await new Promise<string>((answer) => questions.push(answer))
      return ids.map((id) => ({ id, standing }))
    })
    const waiting = Array.from({ length: 100 }, (_, n) => waiter.wait(`${n % 5}`, 'open', 60_000))
    for (const standing of ['open', 'open', 'closed']) {
      await vi.waitUntil(() => questions.length > 0, { timeout: 60_000 })
      expect(questions).toHaveLength(1)
      questions.pop()?.(standing)
    }
    await Promise.all(waiting)
    expect(questions).toEqual([])
  })
})

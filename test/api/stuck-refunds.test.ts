import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'

import { addKey } from '../../src/cli/merchants.js'
import { changeRefund, type RefundChange } from '../../src/db/refunds.js'
import { markResolutionApplied, type RecordedProof } from '../../src/db/resolutions.js'
import { inTransaction } from '../../src/db/transaction.js'
import type { ResolutionOutcome } from '../../src/domain/resolution.js'
import type { RefundState } from '../../src/domain/states.js'
import {
  MERCHANT,
  onceKey,
  paidPayment,
  send,
  startServer,
  type ServerUnderTest,
} from './server-under-test.js'

let server: ServerUnderTest
let secondKey: string

beforeAll(async () => {
  server = await startServer()
  const second = { merchantId: MERCHANT.id, name: 'second', scopes: ['refunds:decide'] }
  secondKey = (await addKey(server.owner, second)).key
})
afterAll(() => server.stop())
afterEach(() => {
  server.engine.reachable = true
  server.engine.calls.length = 0
  server.engine.onResolution = async () => undefined
})

interface RefundAnswer {
  readonly id: string
  readonly state: string
  readonly code?: string
  readonly retryOf?: string
}

const PROOF: RecordedProof = {
  proves: 'closed',
  askedAt: '2026-03-01T00:00:00.000Z',
  answer: { status: 'closed' },
}

const change = (id: string, to: RefundChange) =>
  inTransaction(server.worker, (tx) => changeRefund(tx, id, to, new Date()))

const SENT: RefundChange = {
  state: 'refunding',
  cause: 'submitting',
  firstSubmittedAt: new Date(),
  lastSubmittedAt: new Date(),
}

async function refundIn(state: 'pending' | 'approved' | 'needs_attention' | 'failed' | 'done') {
  const { id: paymentId } = await paidPayment(server)
  const asked = await send(server, 'POST /v1/refunds', {
    idempotencyKey: onceKey(),
    body: { paymentId, amountFen: 100, reason: '不想要了', actingUser: 'li.na' },
  })
  const { id } = asked.json<RefundAnswer>()
  if (state === 'pending') return id
  await change(id, { state: 'approved' })
  if (state === 'approved') return id
  await change(id, SENT)
  if (state === 'done') await change(id, { state, doneAt: new Date() })
  else await change(id, { state, ...(state === 'failed' ? {} : { cause: 'abnormal' as const }) })
  return id
}

/** Lets what is said come out like this, as the worker's local activity does. */
function comesOut(outcome: ResolutionOutcome, refundId?: string, to?: RefundState): void {
  server.engine.onResolution = (resolutionId) =>
    inTransaction(server.worker, async (tx) => {
      const now = new Date()
      if (refundId !== undefined && to !== undefined) {
        await changeRefund(tx, refundId, { state: to }, now)
      }
      await markResolutionApplied(tx, resolutionId, { outcome, proof: PROOF }, now)
    })
}

const retry = (id: string, key = server.keys.approver) =>
  send(server, `POST /v1/refunds/${id}/retry`, {
    key,
    body: { actingUser: 'wang.wei', reason: 'a new card' },
  })

const resolve = (id: string, body: object = {}, key = server.keys.approver) =>
  send(server, `POST /v1/refunds/${id}/resolve`, {
    key,
    body: { as: 'settled', actingUser: 'wang.wei', evidence: 'transfer 7', ...body },
  })

describe('trying a stuck refund again', () => {
  test('needs a person: is told to its workflow and sent under the same number', async () => {
    const id = await refundIn('needs_attention')
    comesOut('applied', id, 'refunding')
    const answer = await retry(id)
    expect([answer.statusCode, answer.json().state]).toEqual([200, 'refunding'])
    const call = server.engine.calls.at(-1)
    expect(call).toMatchObject({ name: 'refundKick', id })
    const said = await send(server, `GET /v1/refunds/${id}/resolutions`)
    expect(said.json().items).toMatchObject([
      {
        id: call?.argument,
        verb: 'retry',
        actingUser: 'wang.wei',
        evidence: 'a new card',
        outcome: 'applied',
        proof: { proves: 'closed', askedAt: PROOF.askedAt },
      },
    ])
  })

  test.each(['pending', 'done'] as const)(
    '%s: is refused, and nothing is recorded',
    async (state) => {
      const id = await refundIn(state)
      const answer = await retry(id)
      expect([answer.statusCode, answer.json().code]).toEqual([409, 'refund_state_conflict'])
      expect(server.engine.calls.filter(({ name }) => name === 'refundKick')).toEqual([])
    },
  )

  test('closed for good: is a new request that names it, once however often', async () => {
    const id = await refundIn('failed')
    comesOut('applied')
    const first = await retry(id)
    expect([first.statusCode, first.json()]).toMatchObject([
      201,
      { state: 'pending', retryOf: id, amountFen: 100, actingUser: 'wang.wei' },
    ])
    expect(server.engine.calls.map(({ name }) => name)).toContain('startRefund')
    const again = await retry(id)
    expect([again.statusCode, again.json().id]).toEqual([201, first.json().id])
  })

  test('closed, but the channel does not say so again: no new number', async () => {
    const id = await refundIn('failed')
    comesOut('not_proved')
    const answer = await retry(id)
    expect([answer.statusCode, answer.json().code]).toEqual([409, 'refund_not_proved'])
  })

  test('a proof of more than a minute ago: makes no new number', async () => {
    const id = await refundIn('failed')
    server.engine.onResolution = (resolutionId) =>
      inTransaction(server.worker, (tx) =>
        markResolutionApplied(
          tx,
          resolutionId,
          { outcome: 'applied', proof: PROOF },
          new Date(Date.now() - 61_000),
        ),
      )
    expect((await retry(id)).json().code).toBe('refund_not_proved')
    const { items } = (await send(server, 'GET /v1/refunds?limit=100')).json<{
      items: RefundAnswer[]
    }>()
    expect(items.filter(({ retryOf }) => retryOf === id)).toEqual([])
  })
})

describe('saying how a stuck refund ended', () => {
  test.each([
    ['still_processing', 409, 'refund_still_processing', 'later'],
    ['channel_silent', 503, 'channel_silent', 'later'],
    ['not_proved', 409, 'refund_not_proved', 'later'],
    ['still_owed', 409, 'refund_still_owed', 'never'],
    ['state_conflict', 409, 'refund_state_conflict', 'never'],
    ['same_principal', 409, 'second_person_required', 'never'],
  ] as const)('%s: is refused with a code that says why', async (outcome, status, code, when) => {
    const id = await refundIn('needs_attention')
    comesOut(outcome)
    const answer = await resolve(id)
    expect([answer.statusCode, answer.json().code, answer.json().retry]).toEqual([
      status,
      code,
      when,
    ])
  })

  test('settled: waits for a second person, and is one proposal however often', async () => {
    const id = await refundIn('needs_attention')
    comesOut('awaiting_second')
    const first = await resolve(id)
    expect([first.statusCode, first.json().outcome]).toEqual([202, 'awaiting_second'])
    const again = await resolve(id)
    expect(again.json()).toEqual(first.json())
    comesOut('applied', id, 'settled')
    const second = await resolve(id, { actingUser: 'zhao.lei' }, secondKey)
    expect([second.statusCode, second.json().state]).toEqual([200, 'settled'])
  })

  test('failed: is applied', async () => {
    const id = await refundIn('needs_attention')
    comesOut('applied', id, 'failed')
    const answer = await resolve(id, { as: 'failed' })
    expect([answer.statusCode, answer.json().state]).toEqual([200, 'failed'])
  })

  test('the engine away: is recorded, and applied when it is back', async () => {
    const id = await refundIn('needs_attention')
    server.engine.reachable = false
    const answer = await resolve(id)
    expect([answer.statusCode, answer.json().outcome]).toEqual([202, 'recorded'])
    expect(answer.headers['retry-after']).toBe('2')
  })

  test.each([
    ['no evidence', { evidence: '' }],
    ['another end', { as: 'done' }],
    ['nobody', { actingUser: ' ' }],
    ['more than is asked', { amountFen: 1 }],
  ])('%s: is refused before anything is recorded', async (_name, body) => {
    const id = await refundIn('needs_attention')
    const answer = await resolve(id, body)
    expect([answer.statusCode, answer.json().code]).toEqual([400, 'invalid_request'])
    const said = await send(server, `GET /v1/refunds/${id}/resolutions`)
    expect(said.json().items).toEqual([])
  })

  test('a key without the scope, or of nobody: is refused', async () => {
    const id = await refundIn('needs_attention')
    expect((await resolve(id, {}, server.keys.asker)).json().code).toBe('forbidden')
    expect((await retry(id, server.keys.asker)).json().code).toBe('forbidden')
    expect((await resolve(id, {}, 'yk_nobody')).json().code).toBe('unauthorized')
    const unknown = '018f0000-0000-7000-8000-000000000000'
    expect((await resolve(unknown)).json().code).toBe('not_found')
  })
})

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { addKey, addMerchant } from '../../src/cli/merchants.js'
import type { Scope } from '../../src/db/api-keys.js'
import { openCase, resolveCase } from '../../src/db/cases.js'
import { inTransaction } from '../../src/db/transaction.js'
import { CASE_KINDS, type CaseKind } from '../../src/domain/cases.js'
import {
  MERCHANT,
  paidPayment,
  send,
  startServer,
  type ServerUnderTest,
} from './server-under-test.js'

let server: ServerUnderTest
let key: string
let stranger: string
/** Keys that may decide, of this merchant and of the other one. */
let decider: string
let strangersDecider: string
/** The payments that the cases are about, and the cases in the order they were opened in. */
let payments: string[]
let opened: string[]

const KINDS: readonly CaseKind[] = [
  'payment_held',
  'refund_beyond_paid',
  'refunds_exceed_payment',
  'payment_held',
  'refund_beyond_paid',
]

beforeAll(async () => {
  server = await startServer()
  const account = { ...MERCHANT.account, mchId: '1900000222' }
  await addMerchant(server.owner, server.envelope, { ...MERCHANT, id: 'other', account })
  const add = async (merchantId: string, scope: Scope): Promise<string> =>
    (await addKey(server.owner, { merchantId, name: 'desk', scopes: [scope] })).key
  key = await add(MERCHANT.id, 'cases:read')
  stranger = await add('other', 'cases:read')
  decider = await add(MERCHANT.id, 'refunds:decide')
  strangersDecider = await add('other', 'refunds:decide')
  payments = []
  for (let n = 0; n < 2; n += 1) payments.push((await paidPayment(server)).id)
  opened = []
  for (const [n, kind] of KINDS.entries()) opened.push(await open(kind, n))
  await resolve(opened[0] ?? '')
})
afterAll(() => server.stop())

async function open(kind: CaseKind, n: number, paymentId = payments[n % 2] ?? ''): Promise<string> {
  const id = await inTransaction(server.worker, (tx) =>
    openCase(tx, {
      kind,
      merchantId: MERCHANT.id,
      paymentId,
      causeKind: 'channel_refund',
      causeId: `cause-${n}`,
      amountFen: 100 + n,
      detail: { outRefundNo: `R${n}` },
      now: new Date(Date.UTC(2026, 2, 1, 0, n)),
    }),
  )
  return id ?? ''
}

async function resolve(caseId: string): Promise<void> {
  const [found] = await server.owner.rows<{ id: string }>(
    { text: 'select id from api_keys where merchant_id = $1 limit 1' },
    [MERCHANT.id],
  )
  const by = { principalId: found?.id ?? '', actingUser: 'zhao.min', note: 'asked the bank' }
  const resolution = { caseId, merchantId: MERCHANT.id, ...by, now: new Date() }
  await inTransaction(server.owner, (tx) => resolveCase(tx, resolution))
}

interface Listed {
  readonly items: readonly { readonly id: string; readonly state: string }[]
  readonly nextCursor: string | null
}

async function list(query = '', as = key) {
  const answer = await send(server, `GET /v1/cases${query}`, { key: as })
  const { items, nextCursor } = answer.json<Listed>()
  return { ids: items.map(({ id }) => id), nextCursor }
}

describe('cases in a list', () => {
  test('are told newest first, each with its kind in words', async () => {
    expect((await list()).ids).toEqual(opened.toReversed())
    const { items } = (await send(server, 'GET /v1/cases', { key })).json()
    expect(items[0]).toEqual({
      id: opened[4],
      kind: 'refund_beyond_paid',
      words: { zh: CASE_KINDS.refund_beyond_paid.zh, en: CASE_KINDS.refund_beyond_paid.en },
      meaning: CASE_KINDS.refund_beyond_paid.meaning,
      state: 'open',
      paymentId: payments[0],
      causeKind: 'channel_refund',
      causeId: 'cause-4',
      amountFen: 104,
      detail: { outRefundNo: 'R4' },
      openedAt: '2026-03-01T00:04:00.000Z',
      resolvedAt: null,
    })
  })

  test('a page at a time: shows each once', async () => {
    const seen: string[] = []
    let cursor = ''
    for (;;) {
      const page = await list(`?limit=2${cursor}`)
      expect(page.ids.length).toBeLessThanOrEqual(2)
      seen.push(...page.ids)
      if (page.nextCursor === null) break
      cursor = `&cursor=${page.nextCursor}`
    }
    expect(seen).toEqual(opened.toReversed())
  })

  test.each<[string, () => string, number[]]>([
    ['that are open', () => 'state=open', [4, 3, 2, 1]],
    ['that are resolved', () => 'state=resolved', [0]],
    ['of a kind', () => 'kind=payment_held', [3, 0]],
    ['of a kind that are open', () => 'kind=payment_held&state=open', [3]],
    ['of a payment', () => `paymentId=${payments[1]}`, [3, 1]],
  ])('%s: only those are told', async (_what, query, which) => {
    const { ids } = await list(`?${query()}`)
    expect(ids).toEqual(which.map((n) => opened[n]))
  })

  test.each(['state=closed', 'kind=other', 'paymentId=1', 'limit=0', 'cursor=x', 'x=1'])(
    'a query of %s: is refused',
    async (query) => {
      const answer = await send(server, `GET /v1/cases?${query}`, { key })
      expect([answer.statusCode, answer.json().code]).toEqual([400, 'invalid_request'])
    },
  )

  test('of another merchant: are not told', async () => {
    expect((await list('', stranger)).ids).toEqual([])
  })
})

describe('one case', () => {
  const get = (id: string | undefined, as = key) =>
    send(server, `GET /v1/cases/${id ?? ''}`, { key: as })

  test('is told with what became of it', async () => {
    const answer = await get(opened[0])
    expect([answer.statusCode, answer.json()]).toMatchObject([
      200,
      {
        id: opened[0],
        state: 'resolved',
        events: [
          { type: 'opened', actorKind: 'engine', note: null },
          {
            type: 'resolved',
            actorKind: 'api_key',
            actingUser: 'zhao.min',
            note: 'asked the bank',
          },
        ],
      },
    ])
  })

  test('of another merchant, of nobody, or of another form: is not there', async () => {
    for (const answer of [
      await get(opened[0], stranger),
      await get('01900000-0000-7000-8000-000000000000'),
      await get('1'),
    ]) {
      expect([answer.statusCode, answer.json().code]).toEqual([404, 'not_found'])
    }
  })

  test('without the scope: is forbidden', async () => {
    for (const call of ['GET /v1/cases', `GET /v1/cases/${opened[0] ?? ''}`] as const) {
      const answer = await send(server, call, { key: server.keys.reader })
      expect([answer.statusCode, answer.json().code]).toEqual([403, 'forbidden'])
    }
  })
})

describe('resolving a case', () => {
  const SAID = { actingUser: 'zhao.min', note: 'asked WeChat Pay: the buyer has it once' }
  const post = (id: string, body: object = SAID, as = server.keys.approver) =>
    send(server, `POST /v1/cases/${id}/resolve`, { key: as, body })

  let cause = 100
  const another = (kind: CaseKind = 'refund_beyond_paid'): Promise<string> => {
    cause += 1
    return open(kind, cause)
  }

  test('is answered with the case, and what was done about it', async () => {
    const id = await another()
    const answer = await post(id)
    expect([answer.statusCode, answer.json()]).toMatchObject([
      200,
      {
        id,
        state: 'resolved',
        events: [{ type: 'opened' }, { type: 'resolved', actorKind: 'api_key', ...SAID }],
      },
    ])
    expect((await list('?state=open')).ids).not.toContain(id)
  })

  test('again by the same person: tells what stands', async () => {
    const id = await another()
    const first = await post(id)
    const second = await post(id, { ...SAID, note: 'the same again' })
    expect([second.statusCode, second.json()]).toEqual([200, first.json()])
  })

  test.each([
    ['by another person', { ...SAID, actingUser: 'wang.wei' }, () => server.keys.approver],
    ['with another key', SAID, () => decider],
  ] as const)('again %s: is refused', async (_what, body, by) => {
    const id = await another()
    await post(id)
    const answer = await post(id, body, by())
    expect([answer.statusCode, answer.json().code]).toEqual([409, 'case_resolved'])
  })

  test('of held money: is refused, and names the kind', async () => {
    const { id: paymentId } = await paidPayment(server, 700, 'held')
    const id = await open('payment_held', 50, paymentId)
    const answer = await post(id)
    expect([answer.statusCode, answer.json()]).toMatchObject([
      409,
      { code: 'case_cause_lasts', kind: 'payment_held', retry: 'later' },
    ])
    expect((await list('?state=open')).ids).toContain(id)
  })

  test.each<[string, object, string]>([
    ['without a note', { actingUser: 'zhao.min' }, 'note'],
    ['with a note of blanks', { ...SAID, note: '  ' }, 'note'],
    ['with a note of 257 characters', { ...SAID, note: '长'.repeat(257) }, 'note'],
    ['without a person', { note: 'n' }, 'actingUser'],
    ['with a member nobody knows', { ...SAID, as: 'done' }, 'as'],
  ])('%s: is refused', async (_what, body, field) => {
    const answer = await post(await another(), body)
    expect([answer.statusCode, answer.json()]).toMatchObject([400, { errors: [{ field }] }])
  })

  test('with a note of 256 characters beyond the first plane: is kept whole', async () => {
    const note = '𠮷'.repeat(256)
    const answer = await post(await another(), { ...SAID, note })
    expect([answer.statusCode, answer.json()]).toMatchObject([200, { events: [{}, { note }] }])
  })

  test('of another merchant, or of nobody: is not there', async () => {
    const id = await another()
    for (const answer of [
      await post(id, SAID, strangersDecider),
      await post('01900000-0000-7000-8000-000000000000'),
      await post('1'),
    ]) {
      expect([answer.statusCode, answer.json().code]).toEqual([404, 'not_found'])
    }
    expect((await list('?state=open')).ids).toContain(id)
  })

  test('with a key that may only read cases: is forbidden', async () => {
    const answer = await post(await another(), SAID, key)
    expect([answer.statusCode, answer.json().code]).toEqual([403, 'forbidden'])
  })
})

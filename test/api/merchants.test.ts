import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { addKey, addMerchant } from '../../src/cli/merchants.js'
import { activeCredentials } from '../../src/db/credentials.js'
import { DEFAULT_POLICY } from '../../src/domain/approval.js'
import {
  API_V2_KEY,
  MERCHANT,
  onceKey,
  paidPayment,
  rowCounts,
  send,
  startServer,
  type ServerUnderTest,
} from './server-under-test.js'

let server: ServerUnderTest
let key = ''

beforeAll(async () => {
  server = await startServer()
  const scopes = ['merchants:read', 'merchants:write', 'audit:read']
  key = (await addKey(server.owner, { merchantId: MERCHANT.id, name: 'head', scopes })).key
})
afterAll(() => server.stop())

const PATH = `/v1/merchants/${MERCHANT.id}`
const SETTINGS = {
  name: '茶馆',
  operatorLimitFen: 5_000,
  refundsStopped: false,
  selfApproval: false,
  latePayments: 'refund',
  actingUser: 'head',
}
const POLICY = { ...DEFAULT_POLICY, actingUser: 'head' }
const get = (path = '') => send(server, `GET ${PATH}${path}`, { key })
const put = (body: object) => send(server, `PUT ${PATH}`, { key, body })
const post = (path: string, body: object) => send(server, `POST ${PATH}${path}`, { key, body })

describe('a merchant', () => {
  test('sees its settings, its accounts, and that it has no policy yet', async () => {
    const answer = await get()
    expect([answer.statusCode, answer.json()]).toMatchObject([
      200,
      {
        id: MERCHANT.id,
        operatorLimitFen: 0,
        refundsStoppedAt: null,
        policy: null,
        accounts: [{ mchId: MERCHANT.account.mchId, mode: 'sandbox' }],
      },
    ])
  })

  test('turns the stop switch: the time it was turned stands until it is turned back', async () => {
    const stopped = await put({ ...SETTINGS, refundsStopped: true })
    const again = await put({ ...SETTINGS, refundsStopped: true, name: '新茶馆' })
    expect(again.json()).toMatchObject({ name: '新茶馆', operatorLimitFen: 5_000 })
    expect(again.json().refundsStoppedAt).toBe(stopped.json().refundsStoppedAt)
    expect(again.json().refundsStoppedAt).not.toBeNull()
    expect((await put(SETTINGS)).json()).toMatchObject({ refundsStoppedAt: null })
  })

  test.each<[string, object, string]>([
    ['a name left out', { name: undefined }, 'name'],
    ['a negative limit', { operatorLimitFen: -1 }, 'operatorLimitFen'],
    ['a switch as text', { refundsStopped: 'yes' }, 'refundsStopped'],
    ['an unknown word', { latePayments: 'keep' }, 'latePayments'],
    ['nobody acting', { actingUser: undefined }, 'actingUser'],
    ['an unknown member', { mode: 'live' }, 'mode'],
  ])('settings with %s: are refused and write nothing', async (_what, change, field) => {
    const before = await rowCounts(server)
    const answer = await put({ ...SETTINGS, ...change })
    expect([answer.statusCode, answer.json().code]).toEqual([400, 'invalid_request'])
    expect(answer.json().errors.map((each: { field: string }) => each.field)).toEqual([field])
    expect(await rowCounts(server)).toEqual(before)
  })

  test.each(['GET /v1/merchants/other', 'GET /v1/merchants/other/credentials'] as const)(
    'another one: %s is unknown here',
    async (call) => {
      await addMerchant(server.owner, server.envelope, {
        ...MERCHANT,
        id: 'other',
        account: { ...MERCHANT.account, mchId: '1900009999' },
      }).catch(() => undefined)
      const answer = await send(server, call, { key })
      expect([answer.statusCode, answer.json().code]).toEqual([404, 'not_found'])
    },
  )

  test('without the scope: is forbidden', async () => {
    const answer = await send(server, `GET ${PATH}`)
    expect([answer.statusCode, answer.json().code]).toEqual([403, 'forbidden'])
  })
})

describe('a policy', () => {
  test('gets the next version, is read by it, and stands in the settings', async () => {
    const rules = [
      {
        upToFen: 1_000,
        withinDays: 7,
        shipped: false,
        reasonCategories: ['mistake'],
        approvals: 0,
      },
      { approvals: 1 },
    ]
    const first = await post('/policies', { ...POLICY, rules })
    expect([first.statusCode, first.json()]).toMatchObject([201, { rules: [rules[0], {}] }])
    const second = await post('/policies', POLICY)
    expect(second.json().version).toBe(first.json().version + 1)
    expect((await get()).json().policy).toEqual(second.json())
    expect((await get(`/policies/${first.json().version}`)).json()).toEqual(first.json())
    expect((await get('/policies/99')).statusCode).toBe(404)
    expect((await get('/policies/none')).statusCode).toBe(404)
  })

  test.each<[string, object, string]>([
    ['no rules', { rules: [] }, 'rules'],
    ['three approvals', { rules: [{ approvals: 3 }] }, 'rules.0.approvals'],
    ['an amount of zero', { rules: [{ upToFen: 0, approvals: 1 }] }, 'rules.0.upToFen'],
    ['a last rule that does not fit all', { rules: [{ upToFen: 1, approvals: 1 }] }, 'rules'],
    ['a rule nobody reaches', { rules: [{ approvals: 1 }, { approvals: 2 }] }, 'rules'],
    ['approving without an amount', { atDeadline: 'approve' }, 'approveUpToFen'],
    ['a deadline of nothing', { deadlineSeconds: 0 }, 'deadlineSeconds'],
    ['a limit of nothing', { dayLimitFen: 0 }, 'dayLimitFen'],
  ])('with %s: is refused', async (_what, change, field) => {
    const before = (await get()).json().policy.version
    const answer = await post('/policies', { ...POLICY, ...change })
    expect([answer.statusCode, answer.json().code]).toEqual([400, 'invalid_request'])
    expect(answer.json().errors[0].field).toBe(field)
    expect((await get()).json().policy.version).toBe(before)
  })

  test('holds requests: what goes by itself is approved, and its workflow told so', async () => {
    await post('/policies', { ...POLICY, rules: [{ approvals: 0 }] })
    const { id: paymentId } = await paidPayment(server)
    server.engine.calls.length = 0
    const asked = await send(server, 'POST /v1/refunds', {
      idempotencyKey: onceKey(),
      body: { paymentId, amountFen: 1, reason: 'x', actingUser: 'a', reasonCategory: 'mistake' },
    })
    expect([asked.statusCode, asked.json()]).toMatchObject([
      201,
      { state: 'approved', approvalsNeeded: 0, reasonCategory: 'mistake', shipped: null },
    ])
    expect(server.engine.calls.map(({ name }) => name)).toEqual(['startRefund'])
    await post('/policies', POLICY)
  })

  test.each([
    ['refund_too_soon', { spacingSeconds: 3_600 }, 0],
    ['refund_too_old', {}, 366 * 86_400_000],
  ] as const)('a request against it: is answered %s', async (code, policy, aheadMs) => {
    await post('/policies', { ...POLICY, ...policy })
    const { id: paymentId } = await paidPayment(server)
    const ask = () =>
      send(server, 'POST /v1/refunds', {
        idempotencyKey: onceKey(),
        body: { paymentId, amountFen: 1, reason: 'x', actingUser: 'a' },
      })
    if (code === 'refund_too_soon') await ask()
    server.clock.aheadMs = aheadMs
    const answer = await ask()
    server.clock.aheadMs = 0
    expect([answer.statusCode, answer.json().code]).toEqual([409, code])
    await post('/policies', POLICY)
  })

  test('the 51st refund of a payment: is answered refund_count_reached', async () => {
    const { id: paymentId } = await paidPayment(server)
    const ask = () =>
      send(server, 'POST /v1/refunds', {
        idempotencyKey: onceKey(),
        body: { paymentId, amountFen: 1, reason: 'x', actingUser: 'a' },
      })
    const taken = await Promise.all(Array.from({ length: 50 }, ask))
    expect(taken.filter(({ statusCode }) => statusCode === 201)).toHaveLength(50)
    const answer = await ask()
    expect([answer.statusCode, answer.json().code]).toEqual([409, 'refund_count_reached'])
  })
})

describe('credentials', () => {
  const next = (letter: string) => ({
    accountId: server.merchant.accountId,
    actingUser: 'head',
    apiV2Key: letter.repeat(32),
  })

  test('a next key: stands beside the present one, the one before that retires', async () => {
    expect((await post('/credentials', next('a'))).statusCode).toBe(201)
    const answer = await post('/credentials', next('b'))
    const told = answer.json().items as { version: number; state: string }[]
    expect(told.map(({ version, state }) => [version, state])).toEqual([
      [3, 'active'],
      [2, 'active'],
      [1, 'retired'],
    ])
    expect(answer.payload).not.toContain('bbbb')
    const { accountId } = server.merchant
    const active = await activeCredentials(server.worker, server.envelope, accountId, 'v2_key')
    expect(active).toEqual(['b'.repeat(32), 'a'.repeat(32)])
    expect((await get('/credentials')).payload).not.toContain(API_V2_KEY)
  })

  test.each<[string, object, number, string]>([
    ['a short key', { apiV2Key: 'abc' }, 400, 'invalid_request'],
    ['a key and a certificate', { p12Base64: 'AAAA' }, 400, 'invalid_request'],
    ['neither', { apiV2Key: undefined }, 400, 'invalid_request'],
    [
      'nonsense for a certificate',
      { apiV2Key: undefined, p12Base64: 'AAAA' },
      422,
      'certificate_refused',
    ],
    [
      'nonsense for PEM',
      { apiV2Key: undefined, certificate: { certPem: 'x', keyPem: 'x' } },
      422,
      'certificate_refused',
    ],
    [
      'an account of nobody',
      { accountId: '00000000-0000-7000-8000-000000000000' },
      404,
      'not_found',
    ],
  ])('%s: is refused and nothing is added', async (_what, change, status, code) => {
    const before = (await get('/credentials')).json()
    const answer = await post('/credentials', { ...next('c'), ...change })
    expect([answer.statusCode, answer.json().code]).toEqual([status, code])
    expect((await get('/credentials')).json()).toEqual(before)
  })

  test('two at once: both are added one after the other, or one is told to ask again', async () => {
    const answers = await Promise.all([
      post('/credentials', next('d')),
      post('/credentials', next('e')),
    ])
    for (const { statusCode, payload } of answers) {
      if (statusCode !== 201) expect(payload).toContain('credential_conflict')
    }
    expect(answers.some(({ statusCode }) => statusCode === 201)).toBe(true)
  })
})

describe('the audit', () => {
  const list = (query: string) => send(server, `GET /v1/audit?${query}`, { key })

  test('tells of settings, policies and secrets, and never what they are', async () => {
    const kinds = await list('limit=100&subjectKind=merchant')
    const actions = new Set(kinds.json().items.map(({ action }: { action: string }) => action))
    expect(actions).toEqual(new Set(['merchant.change', 'merchant.policy']))
    const added = await list('action=credential.add')
    expect(added.json().items[0]).toMatchObject({
      actorKind: 'api_key',
      actingUser: 'head',
      subjectKind: 'account',
      subjectId: server.merchant.accountId,
    })
    expect(added.payload).not.toContain('bbbb')
  })

  test('tells which way an approval came', async () => {
    const byPolicy = await list('actorKind=policy')
    expect(byPolicy.json().items).toMatchObject([{ action: 'refund.approved' }])
  })

  test('a page at a time: shows every line once', async () => {
    const seen: string[] = []
    let cursor = ''
    for (;;) {
      const page = (await list(`limit=7${cursor}`)).json()
      seen.push(...page.items.map(({ id }: { id: string }) => id))
      if (page.nextCursor === null) break
      cursor = `&cursor=${page.nextCursor}`
    }
    expect(new Set(seen).size).toBe(seen.length)
    const [row] = await server.owner.rows<{ n: number }>(
      { text: 'select count(*)::int as n from audit where merchant_id = $1' },
      [MERCHANT.id],
    )
    expect(seen).toHaveLength(row?.n ?? 0)
  })

  test.each(['limit=0', 'actorKind=nobody', 'subjectId=1', 'cursor=x', 'action=DROP', 'x=1'])(
    'a query of %s: is refused',
    async (query) => {
      const answer = await list(query)
      expect([answer.statusCode, answer.json().code]).toEqual([400, 'invalid_request'])
    },
  )
})

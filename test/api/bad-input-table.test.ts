import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'

import type { LightMyRequestResponse } from 'fastify'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { generatedPages } from '../../scripts/generate-docs.js'
import { cloneRoot } from '../../src/cli/local/clone.js'
import { addKey, addMerchant } from '../../src/cli/merchants.js'
import { markClosed } from '../../src/db/payments.js'
import { inTransaction } from '../../src/db/transaction.js'
import { ERRORS } from '../../src/domain/errors.js'
import { paidFields, signedXml } from './paid-notification.js'
import {
  MERCHANT,
  onceKey,
  ORDER,
  paidPayment,
  send,
  startServer,
  type ServerUnderTest,
} from './server-under-test.js'
import { BAD_INPUTS, NOT_BY_INPUT, type BadInput, type Standing } from './support/bad-inputs.js'

const DAY_MS = 86_400_000
const REFUNDS_MAX = 50

let server: ServerUnderTest
let standing: Standing

beforeAll(async () => {
  server = await startServer()
  standing = await setUp()
})
afterAll(() => server.stop())

interface Created {
  readonly id: string
  readonly outTradeNo: string
}

async function setUp(): Promise<Standing> {
  const paid = await paidPayment(server, 1_000)
  const open = await create('used-key', { orderRef: 'open-order' })
  const closed = await create(onceKey(), {})
  await inTransaction(server.worker, (tx) => markClosed(tx, closed.id, new Date()))
  const fifty = await paidPayment(server, 1_000)
  for (let n = 0; n < REFUNDS_MAX; n += 1) {
    const body = { paymentId: fifty.id, amountFen: 1, reason: 'r', actingUser: 'li.na' }
    await send(server, 'POST /v1/refunds', { idempotencyKey: onceKey(), body })
  }
  return {
    paidId: paid.id,
    paidOutTradeNo: paid.outTradeNo,
    openId: open.id,
    openOutTradeNo: open.outTradeNo,
    closedId: closed.id,
    heldId: (await paidPayment(server, 700, 'held')).id,
    fiftyId: fifty.id,
    foreignId: await foreignPayment(),
    notifyToken: server.merchant.notifyToken,
    signed: (changes, key) => signedXml({ ...paidFields(open.outTradeNo), ...changes }, key),
  }
}

async function create(idempotencyKey: string, change: object, key?: string): Promise<Created> {
  const sent = { idempotencyKey, body: { ...ORDER, ...change }, key }
  return (await send(server, 'POST /v1/payments', sent)).json<Created>()
}

async function foreignPayment(): Promise<string> {
  const account = { ...MERCHANT.account, mchId: '1900000222' }
  await addMerchant(server.owner, server.envelope, { ...MERCHANT, id: 'other-house', account })
  const scopes = ['payments:write']
  const added = await addKey(server.owner, { merchantId: 'other-house', name: 'x', scopes })
  return (await create(onceKey(), {}, added.key)).id
}

async function sendBad(row: BadInput): Promise<LightMyRequestResponse> {
  const { call, as, idempotencyKey, body, contentType } = row.request(standing)
  const [method, url] = call.split(' ') as ['GET' | 'POST', string]
  const key = as === 'reader' ? server.keys.reader : server.keys.asker
  return server.app.inject({
    method,
    url,
    headers: {
      ...(as === 'none' ? {} : { authorization: `Bearer ${key}` }),
      ...(idempotencyKey ? { 'idempotency-key': idempotencyKey } : {}),
      ...(body === undefined ? {} : { 'content-type': contentType ?? 'application/json' }),
    },
    ...(body === undefined
      ? {}
      : { payload: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
}

async function sampleOf(counter: string): Promise<number> {
  const line = (await server.registry.metrics()).split('\n').find((each) => {
    return each.startsWith(`${counter} `)
  })
  return Number(line?.split(' ').at(-1) ?? 0)
}

const logged = (since: number): { msg: string; status?: number }[] =>
  server.logLines.slice(since).map((line) => JSON.parse(line) as { msg: string; status?: number })

describe('every bad input of docs/reference/errors.md', () => {
  test.each(BAD_INPUTS)('$what: status, code, sentence, counter and log line', async (row) => {
    const before = await sampleOf(row.counter)
    const lines = server.logLines.length
    server.clock.aheadMs = (row.daysLater ?? 0) * DAY_MS
    server.engine.placing = row.placing ?? 'placed'
    const answer = await sendBad(row)
    server.clock.aheadMs = 0
    server.engine.placing = 'placed'
    expect(answer.statusCode).toBe(row.status)
    if (row.code === null) expect(answer.body).toContain('<return_code><![CDATA[FAIL]]>')
    else {
      const problem = answer.json<{ code: string; detail: string }>()
      expect([problem.code, problem.detail]).toEqual([row.code, ERRORS[row.code].en])
    }
    expect(await sampleOf(row.counter)).toBe(before + 1)
    expect(logged(lines)).toContainEqual(expect.objectContaining({ msg: row.log }))
    expect(logged(lines)).toContainEqual(
      expect.objectContaining({ msg: 'answered', status: row.status }),
    )
  })

  test('errors.md: shows each row', () => {
    const page = generatedPages().get('docs/reference/errors.md') ?? ''
    for (const { what, counter } of BAD_INPUTS) {
      expect(page).toContain(`| ${what} | `)
      expect(page).toContain(counter)
    }
  })

  test('the rows: are each told once', () => {
    const told = BAD_INPUTS.map(({ what }) => what)
    expect(told).toEqual([...new Set(told)])
  })
})

describe('every code of the catalogue', () => {
  const byInput = new Set(BAD_INPUTS.map(({ code }) => code))
  const others = (Object.keys(ERRORS) as (keyof typeof ERRORS)[]).filter((code) => {
    return !byInput.has(code) && NOT_BY_INPUT[code] === undefined
  })
  const tests = readdirSync(path.join(cloneRoot, 'test'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts') && !name.endsWith('bad-input-table.test.ts'))
    .map((name) => readFileSync(path.join(cloneRoot, 'test', name), 'utf8'))

  test.each(others)('%s: is no row of the table, and another test answers it', (code) => {
    expect(tests.some((text) => text.includes(`'${code}'`))).toBe(true)
  })
})

import type { LightMyRequestResponse } from 'fastify'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'

import { generatedPages } from '../../scripts/generate-docs.js'
import { ERRORS } from '../../src/domain/errors.js'
import { rowCounts, startServer, type ServerUnderTest } from './server-under-test.js'
import type { BadInput, Standing } from './support/bad-input.js'
import { BAD_INPUTS } from './support/bad-inputs.js'
import { NOT_BY_INPUT } from './support/not-by-input.js'
import { Stage } from './support/stage.js'
import { setUpStanding, standingKeys, type Keys } from './support/standing.js'

let server: ServerUnderTest
let stage: Stage
let keys: Keys
let standing: Standing

beforeAll(async () => {
  server = await startServer()
  keys = await standingKeys(server)
  stage = new Stage(server, keys.head)
  standing = await setUpStanding(server, keys)
})
afterAll(() => server.stop())
afterEach(() => stage.clear())

async function sendBad(row: BadInput): Promise<LightMyRequestResponse> {
  const { call, as, idempotencyKey, body, contentType, accept } = row.request(standing)
  const [method, url] = call.split(' ') as ['GET' | 'POST', string]
  return stage.target.app.inject({
    method,
    url,
    headers: {
      ...(as === 'none' ? {} : { authorization: `Bearer ${keys[as]}` }),
      ...(idempotencyKey ? { 'idempotency-key': idempotencyKey } : {}),
      ...(body === undefined ? {} : { 'content-type': contentType ?? 'application/json' }),
      ...(accept === undefined ? {} : { accept }),
    },
    ...(body === undefined ? {} : { payload: payloadOf(body) }),
  })
}

const payloadOf = (body: unknown): string | Buffer =>
  typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body)

async function sampleOf(counter: string): Promise<number> {
  const line = (await stage.target.registry.metrics()).split('\n').find((each) => {
    return each.startsWith(`${counter} `)
  })
  return Number(line?.split(' ').at(-1) ?? 0)
}

const logged = (since: number): { msg: string; status?: number }[] =>
  stage.target.logLines
    .slice(since)
    .map((line) => JSON.parse(line) as { msg: string; status?: number })

/** What of the book a refusal must leave as it is. */
async function bookOf(): Promise<object> {
  const { refunds, journal_transfers: journal, inbox } = await rowCounts(server)
  return { refunds, journal, inbox }
}

async function proveRow(row: BadInput): Promise<void> {
  await row.given?.(stage)
  const before = await sampleOf(row.counter)
  const book = await bookOf()
  const lines = stage.target.logLines.length
  const answer = await sendBad(row)
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
  expect(await bookOf()).toEqual(book)
}

describe('every bad input of docs/reference/errors.md', () => {
  test.each(BAD_INPUTS)('$what: status, code, sentence, counter and log line', proveRow)
})

describe('what no input alone brings about', () => {
  test.each(NOT_BY_INPUT)('$what: status, code, sentence, counter and log line', proveRow)
})

describe('the rows', () => {
  const rows = [...BAD_INPUTS, ...NOT_BY_INPUT]

  test('errors.md: shows each', () => {
    const page = generatedPages().get('docs/reference/errors.md') ?? ''
    for (const { what, counter } of rows) {
      expect(page).toContain(`| ${what} | `)
      expect(page).toContain(counter)
    }
  })

  test('are each told once', () => {
    const told = rows.map(({ what }) => what)
    expect(told).toEqual([...new Set(told)])
  })

  test('between them bring about every code there is, and no other', () => {
    const proved = new Set(rows.flatMap(({ code }) => code ?? []))
    expect([...proved].toSorted()).toEqual(Object.keys(ERRORS).toSorted())
  })
})

import { randomBytes } from 'node:crypto'

import fc from 'fast-check'
import type { LightMyRequestResponse } from 'fastify'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { openApiDocument } from '../../scripts/openapi-document.js'
import { addKey } from '../../src/cli/merchants.js'
import { SCOPES } from '../../src/db/api-keys.js'
import { markFactsApplied, unappliedFacts } from '../../src/db/inbox.js'
import { changeRefund } from '../../src/db/refunds.js'
import { findResolution, markResolutionApplied } from '../../src/db/resolutions.js'
import { inTransaction } from '../../src/db/transaction.js'
import { DEFAULT_POLICY } from '../../src/domain/approval.js'
import {
  MERCHANT,
  onceKey,
  paidPayment,
  send,
  startServer,
  type ServerUnderTest,
} from '../api/server-under-test.js'
import { applyDecision } from '../api/support/apply-decision.js'
import { Random } from '../db/support/random.js'
import { valid, type KnownIds, type Schema } from './support/arbitraries.js'
import { mutateJson, NASTY_TEXTS } from './support/mutations.js'
import { answerChecker, operationsOf, type OpenApi, type Operation } from './support/operations.js'

const document = (await openApiDocument()) as OpenApi
const operations = operationsOf(document)
const whatIsWrong = answerChecker(document)

const RUNS = 25
/** A failure names its seed: put it here to see it again. */
const SEED = randomBytes(4).readInt32LE()

let server: ServerUnderTest
let key: string
/** Ids that exist, by the first word of the paths that take them. */
let known: Readonly<Record<string, KnownIds>>
/** Which statuses each operation answered. */
const answered = new Map<string, Set<number>>()

beforeAll(async () => {
  server = await startServer()
  key = (await addKey(server.owner, { merchantId: MERCHANT.id, name: 'all', scopes: SCOPES })).key
  server.engine.onDecision = (decisionId) => applyDecision(server.worker, decisionId)
  server.engine.onResolution = answerResolution
  server.engine.onPaymentFact = answerFact
  server.engine.onAsk = async () => 'paying'
  server.engine.onAdopt = async () => ({ outcome: 'not_paid' })
})
afterAll(() => server.stop())

/** Enough of everything that some of it is left when others of it are decided. */
const EACH = 3

/** What a workflow would say, which has no channel to ask here. */
async function answerResolution(id: string): Promise<void> {
  const { verb } = (await findResolution(server.worker, id)) ?? { verb: 'fail' }
  const outcomes = { retry: 'asked_again', settle: 'awaiting_second' } as const
  const outcome = verb === 'retry' || verb === 'settle' ? outcomes[verb] : 'still_processing'
  await inTransaction(server.worker, (tx) =>
    markResolutionApplied(tx, id, { outcome, proof: null }, new Date()),
  )
}

/** A decision about held money waits for the workflow, which takes note of it at once here. */
async function answerFact(paymentId: string): Promise<void> {
  await inTransaction(server.worker, async (tx) => {
    const facts = await unappliedFacts(tx, paymentId)
    const ids = facts.map(({ id }) => id)
    await markFactsApplied(tx, ids, 'accepted', new Date())
  })
}

/** Every operation meets what no other one has decided, closed or removed. */
async function refresh(): Promise<void> {
  await resetMerchant()
  const { items } = (await send(server, 'GET /v1/webhook-endpoints', { key })).json<{
    items: readonly { id: string }[]
  }>()
  for (const { id } of items) {
    const headers = { authorization: `Bearer ${key}` }
    await server.app.inject({ method: 'DELETE', url: `/v1/webhook-endpoints/${id}`, headers })
  }
  known = await knownIds()
}

/** A policy or a setting that an operation has made may refuse what the next ones are about. */
async function resetMerchant(): Promise<void> {
  const settings = {
    name: MERCHANT.name,
    operatorLimitFen: 0,
    selfApproval: false,
    latePayments: 'refund',
    refundsStopped: false,
    actingUser: 'head',
  }
  const answers = [
    await send(server, `PUT /v1/merchants/${MERCHANT.id}`, { key, body: settings }),
    await send(server, `POST /v1/merchants/${MERCHANT.id}/policies`, {
      key,
      body: { ...DEFAULT_POLICY, actingUser: 'head' },
    }),
  ]
  for (const answer of answers) expect(answer.statusCode, answer.body).toBeLessThan(300)
}

async function knownIds(): Promise<typeof known> {
  const payments: string[] = []
  const refunds: string[] = []
  for (let n = 0; n < EACH; n += 1) {
    const { id: paymentId } = await paidPayment(server, 10_000, n === 0 ? 'held' : 'accepted')
    payments.push(paymentId, await created())
    if (n > 0) refunds.push(...(await refundsOf(paymentId)))
  }
  const endpoint = await send(server, 'POST /v1/webhook-endpoints', {
    key,
    body: { url: 'https://shop.example.com/hook', livemode: false },
  })
  return { payments, refunds, 'webhook-endpoints': [idOf(endpoint)] }
}

async function created(): Promise<string> {
  const body = { amountFen: 100, description: '青团', openid: 'oUpF8uMuAJO2pxb1Q9zNjWeS6o' }
  const answer = await send(server, 'POST /v1/payments', { key, idempotencyKey: onceKey(), body })
  return idOf(answer)
}

function idOf(answer: LightMyRequestResponse): string {
  expect(answer.statusCode, answer.body).toBeLessThan(300)
  return answer.json<{ id: string }>().id
}

/** One that waits for a decision, and one that needs a person. */
async function refundsOf(paymentId: string): Promise<string[]> {
  const [pending = '', stuck = ''] = await Promise.all(
    [1, 2].map(async (amountFen) => {
      const answer = await send(server, 'POST /v1/refunds', {
        idempotencyKey: onceKey(),
        body: { paymentId, amountFen, reason: 'r', actingUser: 'li.na' },
      })
      return idOf(answer)
    }),
  )
  const now = new Date()
  const sent = { state: 'refunding', cause: 'submitting', firstSubmittedAt: now } as const
  for (const change of [
    { state: 'approved' },
    { ...sent, lastSubmittedAt: now },
    { state: 'needs_attention', cause: 'abnormal' },
  ] as const) {
    await inTransaction(server.worker, (tx) => changeRefund(tx, stuck, change, now))
  }
  return [pending, stuck]
}

/** The ids that a path can mean; any where it means none that is known. */
const idsFor = (path: string): KnownIds =>
  known[path.split('/')[2] ?? ''] ?? Object.values(known).flat()

interface Call {
  readonly path: Readonly<Record<string, unknown>>
  readonly query: Readonly<Record<string, unknown>>
  readonly header: Readonly<Record<string, unknown>>
  readonly body: string | undefined
}

const place = (operation: Operation, where: 'path' | 'query' | 'header'): Schema => {
  const parameters = operation.parameters.filter((parameter) => parameter.in === where)
  return {
    type: 'object',
    properties: Object.fromEntries(
      parameters.map(({ name, schema }) => [name, real(name, schema)]),
    ),
    required: parameters.filter(({ required }) => required === true).map(({ name }) => name),
  }
}

/** A merchant has one id; and a wait is really waited for, which nobody does in a test. */
function real(name: string, schema: Schema): Schema {
  if (name === 'wait') return { ...schema, maximum: 0 }
  return name === 'id' && schema.format !== 'uuid' ? { enum: [MERCHANT.id] } : schema
}

const validCall = (operation: Operation): fc.Arbitrary<Call> => {
  const ids = idsFor(operation.path)
  const of = (schema: Schema) => valid(schema, ids) as fc.Arbitrary<Record<string, unknown>>
  return fc.record({
    path: of(place(operation, 'path')),
    query: of(place(operation, 'query')),
    header: of(place(operation, 'header')),
    body:
      operation.body === undefined ? fc.constant(undefined) : validBody(operation.body, operation),
  })
}

/** What the schema allows, and the example, which also keeps what no schema can say. */
function validBody(schema: Schema, { path, example }: Operation): fc.Arbitrary<string> {
  const made = valid(schema, idsFor(path.replace('refunds', 'payments')))
  const shown = fc.constantFrom(...(known['payments'] ?? [])).map((id) => exampleFor(example, id))
  return (example === undefined ? made : fc.oneof(made, shown)).map((body) => JSON.stringify(body))
}

/** The example is about a payment of its own. */
function exampleFor(example: unknown, paymentId: string): unknown {
  const isAbout = typeof example === 'object' && example !== null && 'paymentId' in example
  return isAbout ? { ...example, paymentId, amountFen: 1 } : example
}

/**
 * Calls that hold nothing but what they have to, one for each id there is. What is made at random
 * may by chance be refused every time: a cursor, for one, is nothing that can be made.
 */
function plainCalls({ path, method, parameters, example }: Operation): [Call][] {
  const [paymentId = ''] = known['payments'] ?? []
  const body = example === undefined ? undefined : JSON.stringify(exampleFor(example, paymentId))
  const takesUuid = parameters.some(({ name, schema }) => name === 'id' && schema.format === 'uuid')
  return (takesUuid ? idsFor(path) : [MERCHANT.id]).map((id) => {
    const header = method === 'POST' ? { 'idempotency-key': onceKey() } : {}
    return [{ path: { id, version: 1 }, query: {}, header, body }]
  })
}

/** A valid call of which one part is spoilt. */
const invalidCall = (operation: Operation): fc.Arbitrary<Call> =>
  fc.tuple(validCall(operation), fc.nat()).map(([call, seed]) => {
    const random = new Random(seed)
    const part = random.pick(['path', 'query', 'header', 'body', 'body'] as const)
    if (part === 'body' && call.body !== undefined) {
      return { ...call, body: mutateJson(random, JSON.parse(call.body)) }
    }
    const spoilt = part === 'body' ? 'query' : part
    const [name = 'x'] = Object.keys(call[spoilt])
    // A header holds what a header can hold: the rest never leaves a client. A number would be
    // waited for.
    const nasty = NASTY_TEXTS.filter((text) => {
      return /^[ -~]+$/.test(text) && (name !== 'wait' || Number.isNaN(Number(text)))
    })
    return { ...call, [spoilt]: { ...call[spoilt], [name]: random.pick(nasty) } }
  })

function make(operation: Operation, call: Call): Promise<LightMyRequestResponse> {
  const { method, path } = operation
  const url = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const given = call.path[name] ?? 'x'
    return encodeURIComponent(typeof given === 'string' ? given : JSON.stringify(given))
  })
  const query = Object.fromEntries(
    Object.entries(call.query).map(([name, value]) => [name, String(value)]),
  )
  const headers = Object.fromEntries(
    Object.entries(call.header).map(([name, value]) => [name, String(value)]),
  )
  return server.app.inject({
    method,
    url,
    query,
    headers: {
      authorization: `Bearer ${key}`,
      ...(call.body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(call.body === undefined ? {} : { payload: call.body }),
  })
}

async function look(operation: Operation, call: Call): Promise<void> {
  const answer = await make(operation, call)
  const seen = answered.get(operation.name) ?? new Set()
  answered.set(operation.name, seen.add(answer.statusCode))
  expect(answer.statusCode, answer.body).toBeLessThan(500)
  const wrong = whatIsWrong(operation, answer)
  expect(wrong, `${operation.name} ${JSON.stringify(call)}`).toBeUndefined()
}

describe('what the OpenAPI document says', { timeout: 120_000 }, () => {
  test.each(operations.map((operation) => [operation.name, operation] as const))(
    '%s: a valid request is answered as documented',
    async (_name, operation) => {
      await refresh()
      const examples = plainCalls(operation)
      const property = fc.asyncProperty(validCall(operation), (call) => look(operation, call))
      await fc.assert(property, { numRuns: RUNS + examples.length, seed: SEED, examples })
    },
  )

  test.each(operations.map((operation) => [operation.name, operation] as const))(
    '%s: a spoilt request is answered as documented',
    async (_name, operation) => {
      await refresh()
      const property = fc.asyncProperty(invalidCall(operation), (call) => look(operation, call))
      await fc.assert(property, { numRuns: RUNS, seed: SEED })
    },
  )

  test('without a key: every operation but the open ones is refused as documented', async () => {
    await refresh()
    for (const operation of operations.filter(({ path }) => path.startsWith('/v1/'))) {
      const [call] = fc.sample(validCall(operation), { numRuns: 1, seed: SEED })
      if (call === undefined) throw new Error('Nothing was made.')
      const header = { ...call.header, authorization: 'Bearer yk_nobody' }
      const answer = await make(operation, { ...call, header })
      expect(answer.statusCode, operation.name).toBe(401)
      expect(whatIsWrong(operation, answer), operation.name).toBeUndefined()
    }
  })

  test('these calls: got through to what they ask for, and not only to a refusal', () => {
    const refusedAlways = [...answered]
      .filter(([, statuses]) => [...statuses].every((status) => status >= 400))
      .map(([name]) => name)
    const expected = refusedAlways.filter((name) => !(name in REFUSED_SOMETIMES))
    expect(expected.toSorted()).toEqual(Object.keys(REFUSED_ALWAYS).toSorted())
  })
})

/** What no request that is made from a document can come to, and why. */
const REFUSED_ALWAYS: Readonly<Record<string, string>> = {
  'get /v1/cases/{id}': 'nothing has happened that a person has to look at',
  'post /v1/cases/{id}/resolve': 'nothing has happened that a person has to look at',
  'get /v1/ledger/head': 'nothing was sealed',
  'get /v1/webhook-deliveries/{id}': 'nothing was sent',
  'post /v1/webhook-deliveries/{id}/replay': 'nothing was sent',
  'post /v1/merchants/{id}/credentials': 'the account has to be named',
  'post /v1/payments/adopt': 'WeChat Pay says that nothing was paid',
  'post /v1/payments/{id}/close': 'the buyer is about to pay, or has paid',
  'post /notify/{token}/payment': 'only WeChat Pay can sign it',
  'post /notify/{token}/refund': 'only WeChat Pay can encrypt it',
}

/** What gets through where the calls that are made happen to fit each other, and why. */
const REFUSED_SOMETIMES: Readonly<Record<string, string>> = {
  'post /v1/payments/{id}/resolve': 'the body has to want what the one held payment allows',
}

describe('the check of an answer', () => {
  const [operation] = operations.filter(({ name }) => name === 'get /v1/payments/{id}')
  const answer = (statusCode: number, type: string, body: unknown) =>
    ({
      statusCode,
      headers: { 'content-type': type },
      body: JSON.stringify(body),
      json: () => body,
    }) as unknown as LightMyRequestResponse

  test.each([
    ['a status nobody documented', answer(418, 'application/json', {}), /418 is not documented/],
    ['another type', answer(200, 'text/html', {}), /came as text\/html/],
    ['a body that lacks what it must have', answer(200, 'application/json', {}), /required/],
    [
      'a problem without its code',
      answer(404, 'application/problem+json', { status: 404 }),
      /code/,
    ],
  ])('%s: is found', (_what, given, expected) => {
    if (operation === undefined) throw new Error('The operation is gone.')
    expect(whatIsWrong(operation, given)).toMatch(expected)
  })
})

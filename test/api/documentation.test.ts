import { Ajv2020 } from 'ajv/dist/2020.js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { send, startServer, type ServerUnderTest } from './server-under-test.js'

interface Operation {
  readonly operationId?: string
  readonly summary?: string
  readonly security?: readonly object[]
  readonly parameters?: readonly { readonly name: string; readonly in: string }[]
  readonly requestBody?: object
  readonly responses: Readonly<Record<string, unknown>>
}

interface OpenApi {
  readonly openapi: string
  readonly security: readonly object[]
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, object>> }
}

let server: ServerUnderTest
let document: OpenApi

beforeAll(async () => {
  server = await startServer()
  document = (await send(server, 'GET /openapi.json', { key: '' })).json()
})
afterAll(() => server.stop())

const operations = (): (readonly [string, Operation])[] =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => [`${method} ${path}`, operation] as const),
  )

describe('the OpenAPI document', () => {
  test('its version: is 3.1', () => {
    expect(document.openapi).toMatch(/^3\.1\./)
  })

  test('its operations: are the routes of the API', () => {
    expect(
      operations()
        .map(([name]) => name)
        .toSorted(),
    ).toEqual([
      'delete /v1/webhook-endpoints/{id}',
      'get /healthz',
      'get /metrics',
      'get /readyz',
      'get /v1/audit',
      'get /v1/cases',
      'get /v1/cases/{id}',
      'get /v1/events',
      'get /v1/ledger/head',
      'get /v1/merchants/{id}',
      'get /v1/merchants/{id}/credentials',
      'get /v1/merchants/{id}/policies/{version}',
      'get /v1/payments',
      'get /v1/payments/{id}',
      'get /v1/refunds',
      'get /v1/refunds/{id}',
      'get /v1/refunds/{id}/resolutions',
      'get /v1/webhook-deliveries',
      'get /v1/webhook-deliveries/{id}',
      'get /v1/webhook-endpoints',
      'get /v1/webhook-endpoints/{id}',
      'patch /v1/webhook-endpoints/{id}',
      'post /notify/{token}/payment',
      'post /notify/{token}/refund',
      'post /v1/cases/{id}/resolve',
      'post /v1/merchants/{id}/credentials',
      'post /v1/merchants/{id}/policies',
      'post /v1/payments',
      'post /v1/payments/adopt',
      'post /v1/payments/{id}/close',
      'post /v1/payments/{id}/prepay',
      'post /v1/payments/{id}/query',
      'post /v1/payments/{id}/resolve',
      'post /v1/refunds',
      'post /v1/refunds/{id}/approve',
      'post /v1/refunds/{id}/cancel',
      'post /v1/refunds/{id}/reject',
      'post /v1/refunds/{id}/resolve',
      'post /v1/refunds/{id}/retry',
      'post /v1/webhook-deliveries/{id}/replay',
      'post /v1/webhook-endpoints',
      'post /v1/webhook-endpoints/{id}/rotate-secret',
      'post /v1/webhook-endpoints/{id}/test',
      'put /v1/merchants/{id}',
    ])
  })

  test('every operation: has a name of its own, a summary and answers', () => {
    const names = operations().map(([, { operationId }]) => operationId)
    expect(new Set(names).size).toBe(names.length)
    for (const [name, { summary, responses }] of operations()) {
      expect(summary, name).toBeTruthy()
      expect(Object.keys(responses).length, name).toBeGreaterThan(0)
    }
  })

  test('every operation under /v1: documents its problems and asks for a key', () => {
    for (const [name, { responses, security }] of operations()) {
      if (!name.includes('/v1/')) continue
      expect(Object.keys(responses), name).toEqual(expect.arrayContaining(['401', '403', '503']))
      expect(JSON.stringify(responses['401']), name).toContain('#/components/schemas/Problem')
      expect(security ?? document.security, name).toEqual([{ apiKey: [] }])
    }
  })

  test('the calls that move money: ask for an Idempotency-Key', () => {
    for (const path of ['/v1/payments', '/v1/refunds']) {
      const parameters = document.paths[path]?.['post']?.parameters ?? []
      expect(parameters).toContainEqual(
        expect.objectContaining({ name: 'idempotency-key', in: 'header', required: true }),
      )
    }
  })

  test('every reference: leads somewhere, and every schema is one', () => {
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(
      ([, reference]) => reference ?? '',
    )
    expect(references.length).toBeGreaterThan(10)
    const names = new Set(Object.keys(document.components.schemas))
    for (const reference of references) {
      expect(names.has(reference.replace('#/components/schemas/', '')), reference).toBe(true)
    }
    const ajv = new Ajv2020({ strict: false, validateFormats: false })
    ajv.addSchema({ $id: 'openapi', ...document })
    for (const name of names) {
      const compile = () => ajv.compile({ $ref: `openapi#/components/schemas/${name}` })
      expect(compile, name).not.toThrow()
    }
  })

  test('the page at /docs: is served', async () => {
    const page = await send(server, 'GET /docs/', { key: '' })
    expect(page.statusCode).toBe(200)
    expect(page.headers['content-type']).toContain('text/html')
  })
})

describe('operation', () => {
  test('health: is answered while everything else is away', async () => {
    server.engine.reachable = false
    const health = await send(server, 'GET /healthz', { key: '' })
    const ready = await send(server, 'GET /readyz', { key: '' })
    server.engine.reachable = true
    expect([health.statusCode, health.json()]).toEqual([200, { status: 'ok' }])
    expect([ready.statusCode, ready.json()]).toEqual([
      503,
      { status: 'not_ready', database: true, engine: false },
    ])
  })

  test('readiness: names what is reached', async () => {
    const ready = await send(server, 'GET /readyz', { key: '' })
    expect([ready.statusCode, ready.json()]).toEqual([
      200,
      { status: 'ready', database: true, engine: true },
    ])
  })

  test('metrics: are served as text, by route and not by address', async () => {
    await send(server, 'GET /v1/payments/01900000-0000-7000-8000-000000000000')
    const metrics = await send(server, 'GET /metrics', { key: '' })
    expect(metrics.headers['content-type']).toContain('text/plain')
    expect(metrics.body).toMatch(
      /http_request_duration_seconds_count\{.*route="\/v1\/payments\/:id"/,
    )
    expect(metrics.body).not.toContain('01900000')
  })
})

import { hash, randomBytes } from 'node:crypto'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'

import { describe, expect, onTestFinished, test } from 'vitest'

import { NOTIFICATION_SUCCESS } from '../../src/wechat/v2/notifications.js'
import { createTestDatabase } from '../support/database.js'
import { makeTestFolder } from '../support/test-folder.js'
import { fuzz } from './support/fuzz.js'
import { GENUINE_PAYMENT, LANES, makeInput, type Surface } from './support/inputs.js'
import { readInProcess } from './support/readers.js'
import { surfaceOf } from './support/surface.js'
import { startTarget, type Target } from './support/target.js'

/** `npm run fuzz` sends as many as it is told. */
const INPUTS = 1_500
const FIXED_SEED = 20_261_123

const SURFACE: Surface = {
  notifyToken: 'a'.repeat(22),
  apiKey: 'yk_test',
  jsonOperations: [{ method: 'POST', path: '/v1/payments', sample: { amountFen: 1 } }],
  readPaths: ['/v1/payments/{id}'],
}

async function attack(): Promise<{ target: Target; surface: Surface }> {
  const database = await createTestDatabase()
  onTestFinished(() => database.drop())
  const target = await startTarget(database, await makeTestFolder('hostile'))
  onTestFinished(() => target.stop())
  return { target, surface: await surfaceOf(target) }
}

describe('an API process under hostile inputs', { timeout: 180_000 }, () => {
  test.each([
    ['a fixed seed', FIXED_SEED],
    ['a fresh seed', randomBytes(4).readUInt32LE()],
  ])('%s (%i): nothing breaks, nothing is believed, nothing is written', async (_what, seed) => {
    const { target, surface } = await attack()
    const report = await fuzz(target, surface, { inputs: INPUTS, seed })
    expect(report.violations).toEqual([])
    // Every lane got somewhere: an attack that nobody hears proves nothing.
    for (const lane of LANES) expect(report.answers.get(lane)?.size, lane).toBeGreaterThan(0)
    expect(report.answers.get('payment: bytes')?.get(400)).toBeGreaterThan(30)
    expect(report.rssBytes.most === 0 || report.rssBytes.warm > 0).toBe(true)
    const [line] = target.log().match(/^.*"level":"(?:error|fatal)".*$/m) ?? []
    expect(line).toBeUndefined()
  })
})

describe('a fuzzer', () => {
  test('the same seed and number: make the same input, another seed another', () => {
    const made = (seed: number) =>
      Array.from({ length: 200 }, (_, number) => {
        const { body, ...rest } = makeInput(seed, number, SURFACE)
        return `${JSON.stringify(rest)} ${hash('md5', body)}`
      })
    expect(made(7)).toEqual(made(7))
    expect(made(8)).not.toEqual(made(7))
  })

  test('the genuine message: is one that the readers take', () => {
    expect(() => readInProcess(GENUINE_PAYMENT)).not.toThrow()
  })

  test.each<[string, RequestListener, RegExp]>([
    [
      'believes everybody',
      (_request, response) => void response.end(NOTIFICATION_SUCCESS),
      /was believed/,
    ],
    [
      'breaks down now and then',
      (request, response) => void response.writeHead(request.method === 'PUT' ? 500 : 400).end(),
      /was answered 500/,
    ],
    ['hangs up', (request) => void request.socket.destroy(), /was not answered/],
  ])('a server that %s: is found', async (_what, listener, violation) => {
    const target = await standIn(listener)
    const report = await fuzz(target, SURFACE, { inputs: 300, seed: 1 })
    expect(report.violations.join('\n')).toMatch(violation)
  })

  test('rows that a forged message has made, and memory that is kept: are found', async () => {
    let looks = 0
    const target = await standIn((_request, response) => void response.writeHead(400).end(), {
      rowCounts: async () => ({ refunds: (looks += 1) }),
      rssBytes: () => (looks += 1) * 1_024 ** 3,
    })
    const report = await fuzz(target, SURFACE, { inputs: 1_500, seed: 1 })
    expect(report.violations.join('\n')).toMatch(/refunds has \d+ new rows/)
    expect(report.violations.join('\n')).toMatch(/memory grew/)
  })
})

/** A server that stands in for an API process. */
async function standIn(listener: RequestListener, changes: Partial<Target> = {}): Promise<Target> {
  const server = createServer((incoming, response) => {
    incoming.resume()
    listener(incoming, response)
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const stop = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  onTestFinished(stop)
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    notifyToken: SURFACE.notifyToken,
    apiKey: SURFACE.apiKey,
    rssBytes: () => 0,
    isRunning: () => true,
    log: () => '',
    rowCounts: async () => ({}),
    stop,
    ...changes,
  }
}

import { readFileSync } from 'node:fs'
import path from 'node:path'

import { pino } from 'pino'
import { request } from 'undici'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'

import { cloneRoot } from '../../src/cli/local/clone.js'
import { startWorker, type RunningWorker } from '../../src/worker.js'
import { eventually, placed, startStack, type Stack } from '../support/stack.js'

const RATE = 60
const PAGE = path.join(cloneRoot, 'docs', 'reference', 'metrics.md')

let stack: Stack
let worker: RunningWorker

beforeAll(async () => {
  stack = await startStack({ rate: RATE, withWorker: false })
  const environment = stack.workerEnvironment
  worker = await startWorker({
    databaseUrl: environment['YUANLU_DATABASE_URL_WORKER'] ?? '',
    masterKey: Buffer.from(environment['YUANLU_MASTER_KEY'] ?? '', 'base64'),
    ledgerKey: Buffer.from(environment['YUANLU_LEDGER_KEY'] ?? '', 'base64'),
    temporalAddress: environment['TEMPORAL_ADDRESS'] ?? '',
    temporalNamespace: 'default',
    taskQueue: environment['YUANLU_TASK_QUEUE'] ?? '',
    publicBaseUrl: stack.apiUrl,
    liveBaseUrl: 'https://127.0.0.1:1',
    sandbox: { baseUrl: stack.sandbox.url, caPem: stack.sandbox.caPem },
    workflowBundlePath: inject('workflowBundlePath'),
    metrics: { host: '127.0.0.1', port: 0 },
    logger: pino({ level: 'silent' }),
  })
})

afterAll(async () => {
  await worker.stop()
  await stack.stop()
})

const urls = () => ({
  API: `${stack.apiUrl}/metrics`,
  worker: `http://127.0.0.1:${worker.metricsPort}/metrics`,
})

async function scrape(by: 'API' | 'worker'): Promise<string> {
  return (await request(urls()[by])).body.text()
}

/** The sample of a metric with these labels, in any order; 0 where there is none. */
function sample(text: string, name: string, labels: Readonly<Record<string, string>>): number {
  const line = text.split('\n').find((each) => {
    return (
      each.startsWith(`${name}{`) &&
      Object.entries(labels).every(([key, value]) => each.includes(`${key}="${value}"`))
    )
  })
  return Number(line?.split(' ').at(-1) ?? 0)
}

interface Served {
  readonly name: string
  readonly type: string
  readonly by: string
}

/** What one process serves, without what the client library measures by itself. */
function served(text: string, by: string): Served[] {
  return [...text.matchAll(/^# TYPE (\w+) (\w+)$/gm)]
    .map(([, name = '', type = '']) => ({ name, type, by }))
    .filter(({ name }) => !/^(?:process|nodejs)_/.test(name))
}

function documented(): Served[] {
  const rows = readFileSync(PAGE, 'utf8').matchAll(
    /^\| `(\w+)` \| (\w+) \| [^|]*\| (API|worker) \| [^|]+ \|$/gm,
  )
  return [...rows].map(([, name = '', type = '', by = '']) => ({ name, type, by }))
}

const byName = (a: Served, b: Served): number => a.name.localeCompare(b.name)

describe('metrics of the running system', () => {
  test('metrics.md: names what API and worker serve, and nothing else', async () => {
    const all = [...served(await scrape('API'), 'API'), ...served(await scrape('worker'), 'worker')]
    expect(documented().toSorted(byName)).toEqual(all.toSorted(byName))
  })

  test('a payment and its refund: move every counter on their way', async () => {
    const payment = await placed(stack)
    const { mchId } = stack.merchant
    await stack.sandbox.control.pay({ mchId, outTradeNo: payment.outTradeNo })
    await eventually(async () => (await stack.requester.payment(payment.id)).body.state === 'paid')
    const asked = await stack.requester.requestRefund({ paymentId: payment.id, amountFen: 400 })
    await stack.approver.decide(asked.body.id, 'approve')
    const isDone = async () => (await stack.requester.refund(asked.body.id)).body.state === 'done'
    await eventually(isDone)

    const api = await scrape('API')
    expect(sample(api, 'payment_requests_total', { result: 'created' })).toBe(1)
    expect(sample(api, 'refund_requests_total', { result: 'requested' })).toBe(1)
    const notified = { kind: 'payment', result: 'stored' }
    expect(sample(api, 'notifications_total', notified)).toBeGreaterThanOrEqual(1)

    const counted = await eventually(async () => {
      const text = await scrape('worker')
      const created = sample(text, 'payments_total', { state: 'created' })
      return created > 0 && sample(text, 'refunds_total', { state: 'done' }) > 0 && text
    })
    expect(sample(counted, 'payments_total', { state: 'paid' })).toBe(1)
    expect(sample(counted, 'refunds_total', { state: 'pending', cause: '' })).toBe(1)
    expect(sample(counted, 'refunds_total', { state: 'refunding', cause: 'accepted' })).toBe(1)
    expect(sample(counted, 'refunds_total', { state: 'done' })).toBe(1)
    const placings = { call: 'unifiedorder', result: 'placed' }
    expect(sample(counted, 'channel_requests_seconds_count', placings)).toBeGreaterThan(0)
    expect(counted).toContain('\nbook_unbalanced 0\n')
    expect(counted).toContain('\ninbox_undelivered 0\n')
    const { mchId: mch_id } = stack.merchant
    expect(sample(counted, 'certificate_expires_seconds', { mch_id })).toBeGreaterThan(0)
  }, 120_000)
})

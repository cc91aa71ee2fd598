import { Counter, Gauge, Registry } from 'prom-client'
import { describe, expect, onTestFinished, test } from 'vitest'

import { startMetricsServer } from '../../src/engine/metrics-server.js'

describe('metrics server', () => {
  test.each([
    ['/healthz', 200, 'ok'],
    ['/metrics', 200, 'drinks_total 3'],
    ['/', 404, ''],
    ['/metrics/../etc', 404, ''],
  ])('%s: answers %i', async (path, status, text) => {
    const registry = new Registry()
    new Counter({ name: 'drinks_total', help: 'Drinks.', registers: [registry] }).inc(3)
    const server = await startMetricsServer({ registry, host: '127.0.0.1', port: 0 })
    onTestFinished(() => server.stop())
    const answer = await fetch(`http://127.0.0.1:${server.port}${path}`)
    expect(answer.status).toBe(status)
    expect(await answer.text()).toContain(text)
  })

  test('a value that cannot be read: answers 500, and the server goes on', async () => {
    const registry = new Registry()
    const collect = () => Promise.reject(new Error('nobody knows'))
    registry.registerMetric(new Gauge({ name: 'drinks', help: 'Drinks.', registers: [], collect }))
    const server = await startMetricsServer({ registry, host: '127.0.0.1', port: 0 })
    onTestFinished(() => server.stop())
    const url = `http://127.0.0.1:${server.port}`
    expect((await fetch(`${url}/metrics`)).status).toBe(500)
    registry.removeSingleMetric('drinks')
    expect((await fetch(`${url}/metrics`)).status).toBe(200)
  })

  test('a port that is taken: refuses to start', async () => {
    const options = { registry: new Registry(), host: '127.0.0.1' }
    const server = await startMetricsServer({ ...options, port: 0 })
    onTestFinished(() => server.stop())
    await expect(startMetricsServer({ ...options, port: server.port })).rejects.toThrow(
      'EADDRINUSE',
    )
  })
})

import type { ApiMetrics } from '../metrics.js'
import type { ApiServer } from '../server-type.js'

/**
 * One line and one measurement per answer. Both name the route, never the address: addresses
 * hold notify tokens and what people searched for.
 */
export function installObservation(app: ApiServer, metrics: ApiMetrics): void {
  app.addHook('onRequest', (request, reply, done) => {
    void reply.header('x-request-id', request.id)
    done()
  })
  app.addHook('onResponse', (request, reply, done) => {
    const route = request.routeOptions.url ?? 'none'
    const { method } = request
    const status = reply.statusCode
    const durationMs = Math.round(reply.elapsedTime * 10) / 10
    metrics.httpRequestDuration.observe({ method, route, status }, reply.elapsedTime / 1_000)
    const client = request.client?.id
    const merchant = request.client?.merchantId
    request.log.info({ method, route, status, durationMs, client, merchant }, 'answered')
    done()
  })
}

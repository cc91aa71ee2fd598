import { Counter, Histogram, type Registry } from 'prom-client'

/** What the API counts. Labels have few values each: no ids, no addresses. */
export interface ApiMetrics {
  readonly httpRequestDuration: Histogram<'method' | 'route' | 'status'>
  readonly notifications: Counter<'kind' | 'result'>
  readonly payments: Counter<'result'>
  readonly refunds: Counter<'result'>
}

export function createApiMetrics(registry: Registry): ApiMetrics {
  const registers = [registry]
  return {
    httpRequestDuration: new Histogram({
      name: 'http_request_duration_seconds',
      help: 'Time from the first byte of a request to the last of its answer.',
      labelNames: ['method', 'route', 'status'],
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      registers,
    }),
    notifications: new Counter({
      name: 'notifications_total',
      help: 'Notifications of the channel: stored, duplicate, unavailable, or why refused.',
      labelNames: ['kind', 'result'],
      registers,
    }),
    payments: new Counter({
      name: 'payment_requests_total',
      help: 'Requests to create a payment, by what they were answered.',
      labelNames: ['result'],
      registers,
    }),
    refunds: new Counter({
      name: 'refund_requests_total',
      help: 'Requests for a refund and decisions about one, by what they were answered.',
      labelNames: ['result'],
      registers,
    }),
  }
}

import { collectDefaultMetrics, Counter, Gauge, type Registry } from 'prom-client'

import { countOpenCases } from '../db/cases.js'
import type { Queryable } from '../db/pool.js'
import { certificateExpiries, countUndelivered, oldestRefunds } from '../db/standing.js'
import { CASE_KINDS } from '../domain/cases.js'
import type { StateTotal, StateTotals } from './state-totals.js'

export interface WorkerMetricsParts {
  readonly registry: Registry
  readonly database: Queryable
  readonly clock: { now(): Date }
  readonly totals: StateTotals
  /** By how many fen the book is wrong; it may take a while. */
  readonly unbalancedFen: () => Promise<number>
}

/** What is younger is on its way and not late. */
const UNDELIVERED_AFTER_MS = 10_000

/**
 * The worker's measurements of what stands in the database. Each is read when it is asked for, by
 * a statement with an index; while the database is away nothing is told but the last value.
 * @returns a tick for a loop, for the one that reads more than a scrape may cost
 */
export function createWorkerMetrics(parts: WorkerMetricsParts): () => Promise<void> {
  const { registry } = parts
  collectDefaultMetrics({ register: registry })
  countStates(parts)
  gaugeRefundAge(parts)
  gaugeUndelivered(parts)
  gaugeOpenCases(parts)
  gaugeCertificates(parts)
  const unbalanced = new Gauge({
    name: 'book_unbalanced',
    help: 'By how many fen the book is wrong; anything but 0 was written behind the guards.',
    registers: [registry],
  })
  return async function tick(): Promise<void> {
    unbalanced.set(await parts.unbalancedFen())
  }
}

function countStates({ registry, totals }: WorkerMetricsParts): void {
  const payments = new Counter({
    name: 'payments_total',
    help: 'Payments that were created, paid, closed or failed, since the first.',
    labelNames: ['state'],
    registers: [registry],
    collect() {
      refill(payments, 'payment', ({ state }) => ({ state }))
    },
  })
  const refunds = new Counter({
    name: 'refunds_total',
    help: 'Refunds by the states they reached and why, since the first.',
    labelNames: ['state', 'cause'],
    registers: [registry],
    collect() {
      refill(refunds, 'refund', ({ state, cause }) => ({ state, cause }))
    },
  })
  function refill<L extends string>(
    counter: Counter<L>,
    kind: StateTotal['kind'],
    labelsOf: (total: StateTotal) => Record<L, string>,
  ): void {
    counter.reset()
    for (const total of totals.totals()) {
      if (total.kind === kind) counter.inc(labelsOf(total), total.count)
    }
  }
}

function gaugeRefundAge({ registry, database, clock }: WorkerMetricsParts): void {
  const gauge = new Gauge({
    name: 'refund_age_seconds',
    help: 'The age of the oldest refund that is in a state in which it waits.',
    labelNames: ['state'],
    registers: [registry],
    async collect() {
      const oldest = await unlessAway(oldestRefunds(database))
      if (oldest === undefined) return
      gauge.reset()
      const nowMs = clock.now().getTime()
      for (const { state, oldestAt } of oldest) {
        gauge.set({ state }, Math.max(0, nowMs - oldestAt.getTime()) / 1_000)
      }
    },
  })
}

function gaugeUndelivered({ registry, database, clock }: WorkerMetricsParts): void {
  const gauge = new Gauge({
    name: 'inbox_undelivered',
    help: 'Stored notifications and answers that no workflow applied within ten seconds.',
    registers: [registry],
    async collect() {
      const before = new Date(clock.now().getTime() - UNDELIVERED_AFTER_MS)
      const count = await unlessAway(countUndelivered(database, before))
      if (count !== undefined) gauge.set(count)
    },
  })
}

function gaugeOpenCases({ registry, database }: WorkerMetricsParts): void {
  const gauge = new Gauge({
    name: 'cases_open',
    help: 'Cases that wait for a person, by kind.',
    labelNames: ['kind'],
    registers: [registry],
    async collect() {
      const open = await unlessAway(countOpenCases(database))
      if (open === undefined) return
      gauge.reset()
      for (const kind of Object.keys(CASE_KINDS)) gauge.set({ kind }, 0)
      for (const { kind, count } of open) gauge.set({ kind }, count)
    },
  })
}

function gaugeCertificates({ registry, database, clock }: WorkerMetricsParts): void {
  const gauge = new Gauge({
    name: 'certificate_expires_seconds',
    help: "For how long a merchant number's certificate is still good; negative when it is not.",
    labelNames: ['mch_id'],
    registers: [registry],
    async collect() {
      const expiries = await unlessAway(certificateExpiries(database))
      if (expiries === undefined) return
      gauge.reset()
      const nowMs = clock.now().getTime()
      for (const { mchId, notAfter } of expiries) {
        gauge.set({ mch_id: mchId }, (notAfter.getTime() - nowMs) / 1_000)
      }
    },
  })
}

/** A database that is away is told of by other metrics, and must not make these fail. */
const unlessAway = <T>(value: Promise<T>): Promise<T | undefined> => value.catch(() => undefined)

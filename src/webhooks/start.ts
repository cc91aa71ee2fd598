import { Counter, type Registry } from 'prom-client'
import type { Envelope } from '../db/envelope.js'
import type { Database } from '../db/pool.js'
import { startLoop, type Loop } from '../engine/loop.js'
import { createDelivery } from './delivery.js'
import { createEgress } from './egress.js'
import { createFanOut } from './fan-out.js'
import type { AllowedHosts } from './target.js'

const FAN_OUT_EVERY_MS = 500
const DELIVER_EVERY_MS = 250

export interface WebhookSettings {
  readonly database: Database
  readonly envelope: Envelope
  readonly clock: { now(): Date }
  readonly registry: Registry
  readonly allowedHosts: AllowedHosts
  readonly onError: (error: unknown) => void
}

/** Starts handing events out and sending them; stopping waits for what is under way. */
export function startWebhooks(settings: WebhookSettings): Loop {
  const { database, envelope, clock, registry, allowedHosts, onError } = settings
  const results = new Counter({
    name: 'webhook_deliveries_total',
    help: 'Tries to deliver an event to a merchant, by how they went.',
    labelNames: ['result'],
    registers: [registry],
  })
  const fanOut = createFanOut({ database, clock })
  const delivery = createDelivery({
    database,
    envelope,
    clock,
    egress: createEgress({ allowedHosts }),
    onResult: (result) => results.inc({ result }),
    onError,
  })
  const loops = [
    startLoop({ everyMs: FAN_OUT_EVERY_MS, tick: async () => void (await fanOut()), onError }),
    startLoop({
      everyMs: DELIVER_EVERY_MS,
      tick: async () => void (await delivery.tick()),
      onError,
    }),
  ]
  return {
    async stop() {
      await Promise.all(loops.map((loop) => loop.stop()))
      await delivery.idle()
    },
  }
}

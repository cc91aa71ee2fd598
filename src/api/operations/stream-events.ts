import { once } from 'node:events'
import type { Writable } from 'node:stream'
import { readMerchantEvents, type OutboxEvent } from '../../db/outbox-stream.js'
import type { Queryable } from '../../db/pool.js'
import type { EventStreams } from '../event-streams.js'

const PAGE_MAX = 100
const HEARTBEAT_MS = 15_000
/** A reader that takes nothing for this long is gone. */
const STALLED_MS = 30_000
/** Streams end so that a revoked key does not read on for ever; clients come back by themselves. */
const LIFE_MS = 15 * 60_000
/** What a client is asked to wait before it comes back. */
const RETRY_MS = 2_000

export interface StreamCall {
  readonly merchantId: string
  readonly afterPosition: number
  readonly signal: AbortSignal
}

/**
 * Writes a merchant's events as they come (Server-Sent Events of the HTML standard), each with its
 * position as its id. Nothing is read ahead of what the reader takes, so memory has a bound.
 */
export async function streamEvents(
  { db, streams }: { readonly db: Queryable; readonly streams: EventStreams },
  out: Writable,
  { merchantId, afterPosition, signal }: StreamCall,
): Promise<void> {
  const endsAt = performance.now() + LIFE_MS
  await write(out, `retry: ${RETRY_MS}\n\n`, signal)
  let position = afterPosition
  while (!signal.aborted && performance.now() < endsAt) {
    const page = await readMerchantEvents(db, {
      merchantId,
      afterPosition: position,
      limit: PAGE_MAX,
    })
    position = page.readTo
    if (page.events.length > 0) await write(out, page.events.map(messageOf).join(''), signal)
    if (position < page.head) continue
    const waitedFrom = performance.now()
    await streams.wait(position, HEARTBEAT_MS, signal)
    const isQuiet = performance.now() - waitedFrom >= HEARTBEAT_MS - 1
    if (isQuiet && !signal.aborted) await write(out, ': still here\n\n', signal)
  }
}

/** JSON has no line breaks of its own, so the data is one line. */
const messageOf = (event: OutboxEvent): string =>
  `id: ${event.position}\nevent: ${event.type}\ndata: ${JSON.stringify(eventView(event))}\n\n`

/** @throws when the stream ended, or its reader takes nothing any more */
async function write(out: Writable, text: string, signal: AbortSignal): Promise<void> {
  if (signal.aborted || out.write(text)) return
  const stalled = AbortSignal.any([signal, AbortSignal.timeout(STALLED_MS)])
  await once(out, 'drain', { signal: stalled })
}

export function eventView(event: OutboxEvent) {
  return {
    id: event.id,
    position: event.position,
    type: event.type,
    paymentId: event.paymentId,
    sequence: event.sequence,
    createdAt: event.createdAt.toISOString(),
    data: event.payload as Readonly<Record<string, unknown>>,
  }
}

import { randomBytes } from 'node:crypto'

import { Envelope } from '../../../src/db/envelope.js'
import { newId } from '../../../src/db/ids.js'
import { positionEvents } from '../../../src/db/outbox-stream.js'
import type { EventType } from '../../../src/db/outbox.js'
import { inTransaction } from '../../../src/db/transaction.js'
import {
  insertFirstSecret,
  insertWebhookEndpoint,
  type WebhookEndpointRow,
} from '../../../src/db/webhook-endpoints.js'
import type { SendResult } from '../../../src/domain/webhook.js'
import { createDelivery, type DeliveryResult } from '../../../src/webhooks/delivery.js'
import type { Egress, Message } from '../../../src/webhooks/egress.js'
import { createFanOut } from '../../../src/webhooks/fan-out.js'
import { newWebhookSecret } from '../../../src/webhooks/signature.js'
import { NOW, openBook, run, type Book } from '../../db/support/book.js'

export interface EndpointOptions {
  readonly url?: string
  readonly merchantId?: string
  readonly eventTypes?: readonly EventType[]
  readonly livemode?: boolean
  readonly now?: Date
}

/** A book with endpoints whose receivers are functions, and a clock that the test turns. */
export interface Shop {
  readonly book: Book
  readonly envelope: Envelope
  readonly clock: { at: Date; now(): Date; advance(ms: number): void }
  readonly sent: Message[]
  readonly results: DeliveryResult[]
  readonly errors: unknown[]
  /** What receivers answer. */
  answer: (message: Message) => SendResult | Promise<SendResult>
  addEndpoint(options?: EndpointOptions): Promise<WebhookEndpointRow & { secret: string }>
  /** Writes an event about a payment and gives it its position. */
  tell(paymentId: string, type?: EventType, payload?: object): Promise<string>
  fanOut(): Promise<number>
  /** Sends what is due and waits for it. */
  deliver(): Promise<number>
  /** A worker of its own, with a way out of its own. */
  worker(egress: Egress): ReturnType<typeof createDelivery>
  rows<Row>(text: string, ...values: unknown[]): Promise<Row[]>
  close(): Promise<void>
}

export const answered = (status: number, retryAfter?: string): SendResult => ({
  kind: 'answered',
  status,
  answer: Buffer.from('thanks'),
  ...(retryAfter === undefined ? {} : { retryAfter }),
})

export const eventIdsOf = (messages: readonly Message[]): string[] =>
  messages.map(({ headers }) => headers['webhook-id'] ?? '')

export async function openShop(): Promise<Shop> {
  const book = await openBook()
  const envelope = new Envelope(randomBytes(32))
  const clock = {
    at: NOW,
    now: () => clock.at,
    advance(ms: number) {
      clock.at = new Date(clock.at.getTime() + ms)
    },
  }
  const [sent, results, errors]: [Message[], DeliveryResult[], unknown[]] = [[], [], []]
  const worker = (egress: Egress) =>
    createDelivery({
      database: book.worker,
      envelope,
      clock,
      egress,
      onResult: (result) => void results.push(result),
      onError: (error) => void errors.push(error),
    })
  const own = worker(async (message) => {
    sent.push(message)
    return shop.answer(message)
  })
  const shop: Shop = {
    book,
    envelope,
    clock,
    sent,
    results,
    errors,
    worker,
    answer: () => answered(200),
    addEndpoint: (options = {}) => addEndpoint(shop, options),
    tell: (paymentId, type = 'payment.paid', payload = {}) => tell(shop, paymentId, type, payload),
    fanOut: createFanOut({ database: book.worker, clock }),
    async deliver() {
      const count = await own.tick()
      await own.idle()
      return count
    },
    rows: (text, ...values) => run(book.owner, text, values),
    close: () => book.close(),
  }
  return shop
}

async function addEndpoint(
  { book, envelope }: Shop,
  options: EndpointOptions,
): Promise<WebhookEndpointRow & { secret: string }> {
  const { url = 'https://shop.example.com/hook', merchantId = book.merchantId } = options
  const { eventTypes = null, livemode = false, now = NOW } = options
  const secret = newWebhookSecret()
  const id = newId(now)
  const row = await inTransaction(book.api, async (tx) => {
    const endpoint = { id, merchantId, url, eventTypes, livemode, apiVersion: 'v1', now }
    const inserted = await insertWebhookEndpoint(tx, endpoint)
    await insertFirstSecret(tx, envelope, { endpointId: id, secret, now })
    return inserted
  })
  if (row === undefined) throw new Error('The endpoint was not added.')
  return { ...row, secret }
}

async function tell(
  { book, clock }: Shop,
  paymentId: string,
  type: EventType,
  payload: object,
): Promise<string> {
  const id = newId(clock.now())
  await run(
    book.worker,
    `insert into outbox (id, subject, sequence, type, payload, created_at)
     select $1, $2, 1 + coalesce(max(sequence), 0), $3, $4, $5 from outbox where subject = $2`,
    [id, paymentId, type, JSON.stringify(payload), clock.now()],
  )
  await positionEvents(book.worker, 100)
  return id
}

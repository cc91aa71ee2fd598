import { randomUUID } from 'node:crypto'
import type { Book } from './book.js'
import type { SandboxClock } from './clock.js'
import type { Courier, Delivery } from './deliver.js'
import type { Fault, Faults } from './faults.js'
import { HeldNotifications } from './held-notifications.js'
import type { BodyKind } from './notification-body.js'
import { notificationBody } from './notification-body.js'
import type { Notification, NotificationTry, TryOutcome } from './records.js'
import type { Timetable } from './timetable.js'
import { readFlatXml } from './xml.js'

const SECOND_MS = 1_000
const MINUTE_MS = 60 * SECOND_MS
const HOUR_MS = 60 * MINUTE_MS

/**
 * The pauses between the tries of WeChat Pay: 15s/15s/30s/3m/10m/20m/30m/30m/30m/60m/3h/3h/3h/
 * 6h/6h, 24 h 4 min in all, measured on the sandbox's clock. The first try is at once.
 */
export const RETRY_PAUSES_MS: readonly number[] = [
  15 * SECOND_MS,
  15 * SECOND_MS,
  30 * SECOND_MS,
  3 * MINUTE_MS,
  10 * MINUTE_MS,
  20 * MINUTE_MS,
  30 * MINUTE_MS,
  30 * MINUTE_MS,
  30 * MINUTE_MS,
  60 * MINUTE_MS,
  3 * HOUR_MS,
  3 * HOUR_MS,
  3 * HOUR_MS,
  6 * HOUR_MS,
  6 * HOUR_MS,
]

/** How long one is late, or waits for another to go first, unless the fault says. */
const LATE_MS = 60 * SECOND_MS
const ANSWER_LENGTH_MAX = 1024

export type NewNotification = Pick<
  Notification,
  'kind' | 'mchId' | 'outTradeNo' | 'outRefundNo' | 'url' | 'signType' | 'fields'
>

interface Parts {
  readonly book: Book
  readonly clock: SandboxClock
  readonly timetable: Timetable
  readonly faults: Faults
  readonly courier: Courier
}

/** Sends notifications until the merchant's answer says SUCCESS or the schedule has ended. */
export class Notifications {
  readonly #parts: Parts
  readonly #held = new HeldNotifications()

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** Begins to deliver; the first try is made at once, but never before the caller goes on. */
  send(content: NewNotification): Notification {
    const nowMs = this.#parts.clock.nowMs()
    const notification: Notification = {
      ...content,
      id: randomUUID(),
      firstDueMs: nowMs,
      state: 'waiting',
      nextTryAtMs: nowMs,
      scheduledTries: 0,
      tries: [],
    }
    this.#parts.book.putNotification(notification)
    this.#schedule(notification.id, nowMs)
    return notification
  }

  /** Goes on with what was not delivered when the sandbox was last stopped. */
  resume(): void {
    for (const { id, state, nextTryAtMs } of this.#parts.book.notifications.values()) {
      if (state === 'waiting' && nextTryAtMs !== null) this.#schedule(id, nextTryAtMs)
    }
  }

  /** Delivers once more, now and past all faults; the schedule goes on as it was. */
  async resend(id: string): Promise<Notification | undefined> {
    if (!this.#parts.book.notifications.has(id)) return undefined
    await this.#deliver(id, 'genuine', null)
    return this.#parts.book.notifications.get(id)
  }

  #schedule(id: string, dueMs: number, postponedBy?: Fault): void {
    this.#parts.timetable.schedule(dueMs, () => this.#try(id, postponedBy))
  }

  /** One try of the schedule, as an armed fault would have it. */
  async #try(id: string, postponedBy: Fault | undefined): Promise<void> {
    const notification = this.#parts.book.notifications.get(id)
    if (notification?.state !== 'waiting') return
    const fault = postponedBy ?? this.#takeFault(notification)
    if (isPostponing(fault) && !postponedBy) {
      this.#postpone(notification, fault)
      return
    }
    this.#update(id, { scheduledTries: notification.scheduledTries + 1 })
    await this.#tryWith(id, fault)
    this.#planNext(id)
    for (const held of this.#held.releaseAll(notification.mchId)) await this.#try(held, REORDERED)
  }

  async #tryWith(id: string, fault: Fault | undefined): Promise<void> {
    switch (fault?.fault) {
      case 'lost':
        this.#record(id, { status: null, answer: null, outcome: 'lost', fault: 'lost' })
        return
      case 'forged':
      case 'probe':
        await this.#deliver(id, fault.fault, fault.fault)
        return
      case 'duplicate':
        await Promise.all([
          this.#deliver(id, 'genuine', null),
          this.#deliver(id, 'genuine', 'duplicate'),
        ])
        return
      default:
        await this.#deliver(id, 'genuine', fault?.fault ?? null)
    }
  }

  #takeFault(notification: Notification): Fault | undefined {
    const { kind, outTradeNo, outRefundNo } = notification
    const call = kind === 'payment' ? 'notify_payment' : 'notify_refund'
    return this.#parts.faults.take({ call, outTradeNo, outRefundNo })
  }

  #postpone(notification: Notification, fault: Fault): void {
    const dueMs = this.#parts.clock.nowMs() + (fault.ms ?? LATE_MS)
    const { id, mchId } = notification
    this.#update(id, { nextTryAtMs: dueMs })
    if (fault.fault === 'late') {
      this.#schedule(id, dueMs, fault)
      return
    }
    this.#held.hold(id, mchId)
    // Where none comes that could go first it is sent all the same.
    this.#parts.timetable.schedule(dueMs, async () => {
      if (this.#held.release(id)) await this.#try(id, fault)
    })
  }

  async #deliver(id: string, kind: BodyKind, fault: string | null): Promise<void> {
    const { book, clock, courier } = this.#parts
    const notification = book.notifications.get(id)
    const merchant = book.merchants.get(notification?.mchId ?? '')
    if (!notification || !merchant) return
    const atMs = clock.nowMs()
    const body = notificationBody(notification, merchant, kind)
    const delivery = await courier.post(notification.url, body)
    const outcome = outcomeOf(delivery)
    const answer = delivery.answer.slice(0, ANSWER_LENGTH_MAX)
    this.#record(id, { atMs, status: delivery.status, answer, outcome, fault })
    if (outcome === 'success' && kind === 'genuine') {
      this.#update(id, { state: 'delivered', nextTryAtMs: null })
    }
  }

  #record(id: string, entry: Omit<NotificationTry, 'atMs'> & { atMs?: number }): void {
    const tries = this.#parts.book.notifications.get(id)?.tries ?? []
    this.#update(id, { tries: [...tries, { atMs: this.#parts.clock.nowMs(), ...entry }] })
  }

  /** The pauses add up from the first try on, so that slow answers do not shift the schedule. */
  #planNext(id: string): void {
    const notification = this.#parts.book.notifications.get(id)
    if (notification?.state !== 'waiting') return
    const made = notification.scheduledTries
    if (made > RETRY_PAUSES_MS.length) {
      this.#update(id, { state: 'given_up', nextTryAtMs: null })
      return
    }
    const pausesMs = RETRY_PAUSES_MS.slice(0, made).reduce((sumMs, pauseMs) => sumMs + pauseMs, 0)
    const dueMs = Math.max(notification.firstDueMs + pausesMs, this.#parts.clock.nowMs())
    this.#update(id, { nextTryAtMs: dueMs })
    this.#schedule(id, dueMs)
  }

  #update(id: string, change: Partial<Notification>): void {
    const { book } = this.#parts
    const notification = book.notifications.get(id)
    if (notification) book.putNotification({ ...notification, ...change })
  }
}

const isPostponing = (fault: Fault | undefined): fault is Fault =>
  fault?.fault === 'late' || fault?.fault === 'reordered'

/** Stands in the try of one that another went before. */
const REORDERED: Fault = { match: { call: 'notify_payment' }, fault: 'reordered', times: 1 }

/** In V2 the body decides, whatever the HTTP status says. */
function outcomeOf(delivery: Delivery): TryOutcome {
  if (delivery.status === null) return 'no_answer'
  try {
    const code = readFlatXml(delivery.answer).get('return_code')
    return code === 'SUCCESS' ? 'success' : 'refused'
  } catch {
    return 'refused'
  }
}

import type { ChannelNotification, EventEntry, PaymentEntry, RefundEntry } from './books.js'
import type { Offence, Offender } from './offences.js'
import { grouped, type Shelf } from './shelf.js'

/** What comes in and goes out as rows: facts, decisions, events. Each once, none left over. */
export function checkMessages(shelf: Shelf): Offender[] {
  return [
    ...checkNotifications(shelf),
    ...checkApplied(shelf),
    ...checkDecisions(shelf),
    ...checkEvents(shelf),
  ]
}

const said = (kind: Offence, subject: string, sentence: string): Offender => ({
  kind,
  subject,
  sentence,
})

/** The channel believes that a notification answered with SUCCESS is safe. */
function checkNotifications(shelf: Shelf): Offender[] {
  const bySubject = grouped(shelf.books.tables.inbox, ({ subjectId }) => subjectId)
  const external = shelf.books.tables.inbox.filter(({ kind }) => kind === 'external')
  const isStored = ({ kind, outTradeNo, outRefundNo }: ChannelNotification): boolean => {
    if (kind === 'payment') {
      const payment = shelf.paymentByNumber.get(outTradeNo)
      const rows = bySubject.get(payment?.id ?? '') ?? []
      // A query that was faster has stored the same fact; the notification is counted there.
      return rows.some(({ source, timesSeen }) => source === 'notify' || timesSeen > 1)
    }
    const refund = shelf.refundByNumber.get(outRefundNo ?? '')
    const rows = bySubject.get(refund?.id ?? '') ?? []
    return (
      rows.some(({ source }) => source === 'notify') ||
      external.some(({ businessKey }) => businessKey.startsWith(`${outRefundNo}:`))
    )
  }
  return shelf.books.channel.notifications
    .filter((notification) => notification.state === 'delivered' && !isStored(notification))
    .map(({ kind, outTradeNo, outRefundNo }) => {
      const subject = outRefundNo ?? outTradeNo
      const what = 'its notification was answered SUCCESS and stored nowhere'
      return said('notification_lost', subject, `${kind} ${subject}: ${what}`)
    })
}

function checkApplied(shelf: Shelf): Offender[] {
  const { inbox, decisions, resolutions } = shelf.books.tables
  return [
    ...inbox
      .filter(({ isApplied }) => !isApplied)
      .map(({ id, kind, subjectId, source }) => {
        const subject = nameOf(shelf, subjectId)
        return said(
          'fact_unapplied',
          subject,
          `${kind} ${subject}: what a ${source} said (row ${id}) was never applied`,
        )
      }),
    ...decisions
      .filter(({ outcome }) => outcome === null)
      .map(({ id, refundId, verb }) => {
        const subject = nameOf(shelf, refundId)
        return said(
          'decision_unapplied',
          subject,
          `refund ${subject}: a person's ${verb} (row ${id}) was never applied`,
        )
      }),
    ...resolutions
      .filter(({ outcome }) => outcome === null)
      .map(({ id, refundId, verb }) => {
        const subject = nameOf(shelf, refundId)
        return said(
          'resolution_unapplied',
          subject,
          `refund ${subject}: a person's ${verb} (row ${id}) was never applied`,
        )
      }),
  ]
}

const nameOf = ({ paymentById, refundById }: Shelf, id: string): string =>
  paymentById.get(id)?.outTradeNo ?? refundById.get(id)?.outRefundNo ?? id

/** Of several people one is first: a refund is approved once, and only once more by a second. */
function checkDecisions(shelf: Shelf): Offender[] {
  const { decisions, refunds } = shelf.books.tables
  const approved = decisions.filter(
    ({ verb, outcome }) => verb === 'approve' && outcome === 'applied',
  )
  const twice = [...grouped(approved, ({ refundId }) => refundId)].flatMap(([refundId, group]) => {
    const subject = nameOf(shelf, refundId)
    const sentence = `refund ${subject}: ${group.length} approvals were applied, each as the last`
    return group.length > 1 ? [said('approved_twice', subject, sentence)] : []
  })
  const acknowledged = shelf.expected.refunds.filter(({ id, decision }) => {
    const row = refunds.find((each) => each.id === id)
    return (
      row !== undefined &&
      decision !== undefined &&
      !shelf.decisionsOf(row).some(({ verb }) => verb === decision)
    )
  })
  return [
    ...twice,
    ...acknowledged.map(({ outRefundNo, decision }) =>
      said(
        'decision_lost',
        outRefundNo,
        `refund ${outRefundNo}: the API took a decision (${decision}), and no row holds it`,
      ),
    ),
  ]
}

/** What the merchant is told: without a gap, and an end once. */
function checkEvents(shelf: Shelf): Offender[] {
  const bySubject = grouped(shelf.books.tables.events, ({ paymentId }) => paymentId)
  return shelf.books.tables.payments.flatMap((payment) => {
    const events = bySubject.get(payment.id) ?? []
    return [
      ...checkSequence(payment, events),
      ...expectOnce(payment.outTradeNo, 'payment', paymentEvents(payment), events),
      ...shelf
        .refundsOf(payment)
        .flatMap((refund) =>
          expectOnce(refund.outRefundNo, 'refund', refundEvents(refund), events),
        ),
    ]
  })
}

function checkSequence({ outTradeNo }: PaymentEntry, events: readonly EventEntry[]): Offender[] {
  const sequences = new Set(events.map(({ sequence }) => sequence))
  const missing = events.findIndex((_, index) => !sequences.has(index + 1))
  if (missing === -1) return []
  const sentence = `payment ${outTradeNo}: event ${missing + 1} of ${events.length} is missing`
  return [said('event_missing', outTradeNo, sentence)]
}

interface ExpectedEvent {
  readonly type: string
  readonly refundId: string | null
}

const MONEY_CAME = ['payment.paid', 'payment.held', 'payment.surplus']

function paymentEvents({ state, disposition, origin }: PaymentEntry): ExpectedEvent | undefined {
  if (state === 'closed' || state === 'failed') return { type: `payment.${state}`, refundId: null }
  if (state !== 'paid' || origin !== 'engine') return undefined
  const type = MONEY_CAME[['accepted', 'held', 'surplus'].indexOf(disposition ?? '')]
  return type === undefined ? undefined : { type, refundId: null }
}

function refundEvents({ id, state, origin }: RefundEntry): ExpectedEvent | undefined {
  const ended = ['done', 'failed', 'settled', 'rejected', 'cancelled', 'expired'].includes(state)
  // A refund of the portal that was done when it was found tells so with its first event.
  if (!ended || (origin === 'external' && state === 'done')) return undefined
  return { type: `refund.${state}`, refundId: id }
}

function expectOnce(
  subject: string,
  what: string,
  expected: ExpectedEvent | undefined,
  events: readonly EventEntry[],
): Offender[] {
  if (expected === undefined) return []
  const { type, refundId } = expected
  const told = events.filter((event) => event.type === type && event.refundId === refundId)
  if (told.length === 1) return []
  const sentence = `${what} ${subject}: the event ${type} was written ${told.length} times`
  return [said(told.length === 0 ? 'event_missing' : 'event_twice', subject, sentence)]
}

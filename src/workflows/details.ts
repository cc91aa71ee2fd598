import type { PaymentProgress, RefundProgress } from '../activities/progress.js'
import { PAYMENT_WORDS, refundWords } from '../domain/words.js'

/**
 * What the Temporal UI shows of a running workflow beside its history. It is free of events, and
 * like a history it holds no secret and names no person.
 */

export function paymentDetails({ state, attention }: PaymentProgress): string {
  const words = PAYMENT_WORDS[state]
  const lines = [`### ${words.zh} · ${words.en}`, PAYMENT_HINTS[state]]
  if (attention !== null) lines.push(`Needs a person: \`${attention}\`.`)
  return lines.join('\n\n')
}

const PAYMENT_HINTS = {
  created: 'The order is being placed at WeChat Pay.',
  awaiting_payment:
    'Waits for the notification; the channel is also asked at growing intervals, and at expiry ' +
    'the order is queried and closed.',
  paid: 'Paid and booked.',
  closed: 'Closed at WeChat Pay.',
  failed: 'WeChat Pay refused to place the order.',
} as const satisfies Record<PaymentProgress['state'], string>

export function refundDetails({ state, cause, note }: RefundProgress): string {
  const words = refundWords(state, cause)
  const lines = [`### ${words.backOffice} · ${words.en}`, REFUND_HINTS[state]]
  if (note !== null) lines.push(note)
  return lines.join('\n\n')
}

const REFUND_HINTS = {
  pending:
    'Approve through the API, or as an operator: signal `approve` with `{"reason": "..."}`, ' +
    'which the merchant allows up to a limit.',
  approved: 'Approved; nothing has been sent to WeChat Pay yet.',
  refunding: 'Sent to WeChat Pay. Accepted is not refunded: the channel is asked until it says so.',
  needs_attention: 'A person must act; the amount stays reserved and the channel is still asked.',
  done: 'WeChat Pay says the money was given back.',
  settled: 'Given back by other means.',
  failed: 'WeChat Pay closed the refund; its amount is free again.',
  rejected: 'No money moved.',
  cancelled: 'No money moved.',
  expired: 'Nobody decided in time. No money moved.',
} as const satisfies Record<RefundProgress['state'], string>

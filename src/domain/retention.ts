/**
 * How many days what goes by itself is kept. The database seeds its table `retention` from here,
 * its functions remove nothing younger, and `docs/reference/retention.md` shows the same.
 */
export const KEPT_DAYS = {
  /** A dispute over one bill has come up by then; the bodies name the payer, the facts stay. */
  notification_body: 90,
  /** An order lives seven days at most, so its creation is not repeated for longer. */
  payment_key: 30,
  /** WeChat Pay refunds for 365 days: within them a repetition must not be a second refund. */
  refund_key: 400,
  /** A refund may come for 365 days, and the question who had ordered with it. */
  payer: 400,
  /** Long enough to see what a receiver was told, and to send it again. */
  webhook_delivery: 90,
  webhook_attempt: 90,
} as const

export type Kept = keyof typeof KEPT_DAYS

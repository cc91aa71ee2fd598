/**
 * Everything that a drill can do to the system. Each kind says what happens; which of them a run
 * is made of is for its profile to say, and whether they happened is measured.
 */
export const FAULT_KINDS = {
  notification_lost: 'a notification never arrives, however often it is repeated',
  notification_late: 'a notification arrives after the engine has asked by itself',
  notification_duplicated: 'a notification arrives twice at once',
  notification_reordered: 'a notification is overtaken by one that was sent after it',
  notification_forged: 'a notification under a wrong key names another amount',
  notification_probing: 'a notification with the right content is signed with a wrong key',
  timeout_before_effect: 'a call is not carried out, and there is no answer',
  timeout_after_effect: 'a call is carried out, and there is no answer',
  system_error: 'a call is answered with SYSTEMERROR',
  html_page: 'a call is answered with an HTML page and status 502',
  too_many_requests: 'a call is answered with status 429',
  rate_limited: 'a refund is answered with FREQUENCY_LIMITED',
  no_balance: 'a refund is answered with NOTENOUGH',
  change: "a refund ends in CHANGE, as the buyer's card is frozen, until a person resolves it",
  portal_refund: "somebody refunds by hand in the channel's portal",
  portal_refund_over_rest: 'somebody refunds by hand more than a refund that waits leaves over',
  portal_refund_race: 'a refund by hand and one of ours, together too much, are sent at once',
  worker_killed: 'a worker gets SIGKILL and is started again',
  workers_killed: 'all workers get SIGKILL at once, and none is there for a while',
  api_killed: 'an API gets SIGKILL and is started again',
  apis_killed: 'all APIs get SIGKILL at once, and none is there for a while',
  sandbox_killed: 'the channel gets SIGKILL and is started again',
  temporal_killed: 'Temporal gets SIGKILL and is started again',
  postgres_restarted: 'PostgreSQL drops everybody as in a crash and recovers from its log',
  channel_clock_jump: "the channel's clock jumps forward by minutes",
  process_clock_jump: 'the clock of a worker and of an API is wrong by seconds for a while',
} as const

export type FaultKind = keyof typeof FAULT_KINDS

/** A call or a notification of the channel, as the sandbox's faults name them. */
export type ChannelCall =
  | 'unifiedorder'
  | 'orderquery'
  | 'refund'
  | 'refundquery'
  | 'notify_payment'
  | 'notify_refund'

/** Kinds that strike one notification or one call, and which ones they can strike. */
export const CALLS_OF_KIND = {
  notification_lost: ['notify_payment', 'notify_refund'],
  notification_late: ['notify_payment', 'notify_refund'],
  notification_duplicated: ['notify_payment', 'notify_refund'],
  notification_reordered: ['notify_payment', 'notify_refund'],
  notification_forged: ['notify_payment', 'notify_refund'],
  notification_probing: ['notify_payment', 'notify_refund'],
  timeout_before_effect: ['unifiedorder', 'orderquery', 'refund', 'refundquery'],
  timeout_after_effect: ['unifiedorder', 'orderquery', 'refund', 'refundquery'],
  system_error: ['unifiedorder', 'orderquery', 'refund', 'refundquery'],
  html_page: ['unifiedorder', 'orderquery', 'refund', 'refundquery'],
  too_many_requests: ['unifiedorder', 'orderquery', 'refund', 'refundquery'],
  rate_limited: ['refund'],
  no_balance: ['refund'],
  change: ['refund'],
} as const satisfies Partial<Record<FaultKind, readonly ChannelCall[]>>

/** A kind that is armed at the sandbox for one order or refund. */
export type ArmedKind = keyof typeof CALLS_OF_KIND

export const ARMED_KINDS = Object.keys(CALLS_OF_KIND) as readonly ArmedKind[]

/** Kinds of refund that a person makes in the portal, where the engine is not asked. */
export const PORTAL_KINDS = [
  'portal_refund',
  'portal_refund_over_rest',
  'portal_refund_race',
] as const satisfies readonly FaultKind[]

export type PortalKind = (typeof PORTAL_KINDS)[number]

/** Kinds that strike a process or a clock, and with it everything that is under way. */
export const STRIKE_KINDS = [
  'worker_killed',
  'workers_killed',
  'api_killed',
  'apis_killed',
  'sandbox_killed',
  'temporal_killed',
  'postgres_restarted',
  'channel_clock_jump',
  'process_clock_jump',
] as const satisfies readonly FaultKind[]

export type StrikeKind = (typeof STRIKE_KINDS)[number]

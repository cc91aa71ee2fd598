/** The calls a merchant makes, by the last part of their path. */
export const V2_CALL_NAMES = [
  'unifiedorder',
  'orderquery',
  'closeorder',
  'refund',
  'refundquery',
] as const
export type V2CallName = (typeof V2_CALL_NAMES)[number]

/** The names that faults are matched by: the merchant's calls and the sandbox's notifications. */
export const CALL_NAMES = [...V2_CALL_NAMES, 'notify_payment', 'notify_refund'] as const
export type CallName = (typeof CALL_NAMES)[number]

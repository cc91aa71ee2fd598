/** The calls of V2 that are made here, by the name the documentation gives them. */
export type V2Call = 'unifiedorder' | 'orderquery' | 'closeorder' | 'refund' | 'refundquery'

/** What each call's error codes can mean for the order or refund it was about. */
export interface OutcomeOfCall {
  unifiedorder: 'already_paid' | 'closed' | 'refused' | 'unknown'
  orderquery: 'not_exist' | 'refused' | 'unknown'
  closeorder: 'closed' | 'already_paid' | 'not_exist' | 'refused' | 'unknown'
  refund: 'not_enough' | 'rate_limited' | 'refused' | 'unknown'
  refundquery: 'not_exist' | 'refused' | 'unknown'
}

/**
 * What to do after a code: the same call at once, the same call after a while, nothing until a
 * person has changed something, or nothing at all because the channel will not change its mind.
 */
export type Advice = 'again_now' | 'again_later' | 'person' | 'final'

export interface CodeMeaning<Outcome extends string = string> {
  readonly outcome: Outcome
  readonly advice: Advice
}

type CodeTable<Outcome extends string> = Readonly<Record<string, CodeMeaning<Outcome>>>

const UNKNOWN_NOW = { outcome: 'unknown', advice: 'again_now' } as const
const UNKNOWN_LATER = { outcome: 'unknown', advice: 'again_later' } as const
const NEEDS_PERSON = { outcome: 'refused', advice: 'person' } as const
const REFUSED_FOR_GOOD = { outcome: 'refused', advice: 'final' } as const
const NOT_EXIST = { outcome: 'not_exist', advice: 'final' } as const
const RATE_LIMITED = { outcome: 'rate_limited', advice: 'again_later' } as const

/** Faults of the caller or of the merchant's set-up, the same in every call. */
const CALLER_FAULTS = {
  APPID_MCHID_NOT_MATCH: NEEDS_PERSON,
  APPID_NOT_EXIST: NEEDS_PERSON,
  INVALID_REQUEST: NEEDS_PERSON,
  LACK_PARAMS: NEEDS_PERSON,
  MCHID_NOT_EXIST: NEEDS_PERSON,
  NOAUTH: NEEDS_PERSON,
  NOT_UTF8: NEEDS_PERSON,
  PARAM_ERROR: NEEDS_PERSON,
  POST_DATA_EMPTY: NEEDS_PERSON,
  REQUIRE_POST_METHOD: NEEDS_PERSON,
  SIGNERROR: NEEDS_PERSON,
  XML_FORMAT_ERROR: NEEDS_PERSON,
} as const

/** The channel is busy or broken: its answer says nothing about the order or refund. */
const CHANNEL_TROUBLE = {
  SYSTEMERROR: UNKNOWN_NOW,
  BIZERR_NEED_RETRY: UNKNOWN_NOW,
  FREQUENCY_LIMITED: UNKNOWN_LATER,
  INVALID_REQ_TOO_MUCH: UNKNOWN_LATER,
} as const

/**
 * Every error code of V2 has one meaning per call, and it stands here. A code that is missing is
 * unknown: no conclusion may be drawn from it.
 */
export const V2_ERROR_CODES: { readonly [Call in V2Call]: CodeTable<OutcomeOfCall[Call]> } = {
  unifiedorder: {
    ...CALLER_FAULTS,
    ...CHANNEL_TROUBLE,
    NOTENOUGH: REFUSED_FOR_GOOD,
    ORDERCLOSED: { outcome: 'closed', advice: 'final' },
    ORDERPAID: { outcome: 'already_paid', advice: 'final' },
    OUT_TRADE_NO_USED: NEEDS_PERSON,
  },
  orderquery: {
    ...CALLER_FAULTS,
    ...CHANNEL_TROUBLE,
    INVALID_TRANSACTIONID: NEEDS_PERSON,
    ORDERNOTEXIST: NOT_EXIST,
  },
  closeorder: {
    ...CALLER_FAULTS,
    // A close may race with the buyer who is typing the password: ask, then close again.
    ...CHANNEL_TROUBLE,
    ORDERCLOSED: { outcome: 'closed', advice: 'final' },
    ORDERNOTEXIST: NOT_EXIST,
    ORDERPAID: { outcome: 'already_paid', advice: 'final' },
    TRADE_STATE_ERROR: UNKNOWN_LATER,
  },
  refund: {
    ...CALLER_FAULTS,
    ...CHANNEL_TROUBLE,
    CERT_ERROR: NEEDS_PERSON,
    ERROR: NEEDS_PERSON,
    FREQUENCY_LIMITED: RATE_LIMITED,
    INVALID_REQ_TOO_MUCH: RATE_LIMITED,
    INVALID_TRANSACTIONID: NEEDS_PERSON,
    NOTENOUGH: { outcome: 'not_enough', advice: 'again_later' },
    ORDERNOTEXIST: NEEDS_PERSON,
    REFUND_FEE_MISMATCH: NEEDS_PERSON,
    TRADE_OVERDUE: REFUSED_FOR_GOOD,
    USER_ACCOUNT_ABNORMAL: REFUSED_FOR_GOOD,
  },
  refundquery: {
    ...CALLER_FAULTS,
    ...CHANNEL_TROUBLE,
    INVALID_TRANSACTIONID: NEEDS_PERSON,
    REFUNDNOTEXIST: NOT_EXIST,
  },
}

/** What a code of a call means; `unknown` for every code that is not in the table. */
export function meaningOf<Call extends V2Call>(
  call: Call,
  code: string,
): CodeMeaning<OutcomeOfCall[Call] | 'unknown'> {
  const table: CodeTable<OutcomeOfCall[Call]> = V2_ERROR_CODES[call]
  return (Object.hasOwn(table, code) ? table[code] : undefined) ?? UNKNOWN_LATER
}

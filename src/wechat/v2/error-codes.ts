import type { AccountHold } from '../../domain/channel.js'

/** The calls of V2 that are made here, by the name the documentation gives them. */
export const V2_CALLS = [
  'unifiedorder',
  'orderquery',
  'closeorder',
  'refund',
  'refundquery',
] as const
export type V2Call = (typeof V2_CALLS)[number]

/** What each call's error codes can mean for the order or refund it was about. */
export interface OutcomeOfCall {
  unifiedorder: 'already_paid' | 'closed' | 'refused' | 'unknown'
  orderquery: 'not_exist' | 'refused' | 'unknown'
  closeorder: 'closed' | 'already_paid' | 'not_exist' | 'refused' | 'unknown'
  refund: 'not_enough' | 'rate_limited' | 'refused' | 'unknown'
  refundquery: 'not_exist' | 'refused' | 'unknown'
}

/**
 * What to do after a code: the same number at once, the same number after a while, nothing until a
 * person has changed something, nothing at all because the channel will not change its mind, or
 * nothing because what the call was for is so already.
 */
export type Advice = 'again_now' | 'again_later' | 'person' | 'final' | 'already_done'

export interface CodeMeaning<Outcome extends string = string> {
  readonly outcome: Outcome
  readonly advice: Advice
  /** When the code is about the account, so that its other calls would end alike. */
  readonly hold?: AccountHold
  /** What the channel says with it, in one clause. */
  readonly says: string
}

type CodeTable<Outcome extends string> = Readonly<Record<string, CodeMeaning<Outcome>>>

const UNKNOWN_NOW = { outcome: 'unknown', advice: 'again_now' } as const
const UNKNOWN_LATER = { outcome: 'unknown', advice: 'again_later' } as const
const NEEDS_PERSON = { outcome: 'refused', advice: 'person' } as const
const REFUSED_FOR_GOOD = { outcome: 'refused', advice: 'final' } as const
const WRONG_CREDENTIALS = { ...NEEDS_PERSON, hold: 'credentials' } as const
const TOO_OFTEN = { ...UNKNOWN_LATER, hold: 'rate' } as const
const RATE_LIMITED = { outcome: 'rate_limited', advice: 'again_later', hold: 'rate' } as const
const ALREADY_PAID = { outcome: 'already_paid', advice: 'already_done' } as const
const NOT_EXIST_YET = { outcome: 'not_exist', advice: 'again_later' } as const

/**
 * Faults of the caller or of the merchant's set-up. They are found before a call looks at its order
 * or refund, so they mean the same in every call.
 */
const CALLER_FAULTS = {
  APPID_MCHID_NOT_MATCH: { ...WRONG_CREDENTIALS, says: 'The appid is not bound to the merchant.' },
  APPID_NOT_EXIST: { ...WRONG_CREDENTIALS, says: 'There is no such appid.' },
  INVALID_REQUEST: { ...NEEDS_PERSON, says: 'The number was sent before with other parameters.' },
  LACK_PARAMS: { ...NEEDS_PERSON, says: 'A parameter is missing.' },
  MCHID_NOT_EXIST: { ...WRONG_CREDENTIALS, says: 'There is no such merchant number.' },
  NOAUTH: { ...NEEDS_PERSON, hold: 'permission', says: 'The merchant may not make this call.' },
  NOT_UTF8: { ...NEEDS_PERSON, says: 'The request is not UTF-8.' },
  PARAM_ERROR: { ...NEEDS_PERSON, says: 'A parameter is malformed or out of range.' },
  POST_DATA_EMPTY: { ...NEEDS_PERSON, says: 'The request is empty.' },
  REQUIRE_POST_METHOD: { ...NEEDS_PERSON, says: 'The request is not a POST.' },
  SIGNERROR: { ...WRONG_CREDENTIALS, says: 'The signature is wrong.' },
  XML_FORMAT_ERROR: { ...NEEDS_PERSON, says: 'The request is not the XML it should be.' },
} as const satisfies CodeTable<'refused'>

/** The channel is busy or broken: its answer says nothing about the order or refund. */
const CHANNEL_TROUBLE = {
  BIZERR_NEED_RETRY: { ...UNKNOWN_NOW, says: 'Another request was in the way.' },
  FREQUENCY_LIMITED: { ...TOO_OFTEN, says: 'There were too many requests.' },
  INVALID_REQ_TOO_MUCH: { ...TOO_OFTEN, says: 'There were too many bad requests.' },
  SYSTEMERROR: { ...UNKNOWN_NOW, says: 'The channel failed or took too long.' },
} as const satisfies CodeTable<'unknown'>

const WRONG_TRANSACTION = { ...NEEDS_PERSON, says: 'The transaction_id is wrong.' } as const

/**
 * Every error code of V2 has one meaning per call, and it stands here and nowhere else. A code that
 * is missing is unknown: no conclusion may be drawn from it.
 */
export const V2_ERROR_CODES: { readonly [Call in V2Call]: CodeTable<OutcomeOfCall[Call]> } = {
  unifiedorder: {
    ...CALLER_FAULTS,
    ...CHANNEL_TROUBLE,
    NOTENOUGH: { ...REFUSED_FOR_GOOD, says: 'The buyer has too little money.' },
    ORDERCLOSED: { outcome: 'closed', advice: 'final', says: 'The order is closed.' },
    ORDERPAID: { ...ALREADY_PAID, says: 'The order is paid.' },
    OUT_TRADE_NO_USED: { ...REFUSED_FOR_GOOD, says: 'The number was used for something else.' },
  },
  orderquery: {
    ...CALLER_FAULTS,
    ...CHANNEL_TROUBLE,
    INVALID_TRANSACTIONID: WRONG_TRANSACTION,
    ORDERNOTEXIST: { ...NOT_EXIST_YET, says: 'No order of this number was placed.' },
  },
  closeorder: {
    ...CALLER_FAULTS,
    ...CHANNEL_TROUBLE,
    // A close may race with the buyer who is typing the password: ask, then close again.
    FREQUENCY_LIMITED: { ...UNKNOWN_LATER, says: 'The buyer may be paying at this moment.' },
    ORDERCLOSED: { outcome: 'closed', advice: 'already_done', says: 'The order is closed.' },
    ORDERNOTEXIST: { ...NOT_EXIST_YET, says: 'No order of this number was placed.' },
    ORDERPAID: { ...ALREADY_PAID, says: 'The order is paid.' },
    TRADE_STATE_ERROR: { ...UNKNOWN_LATER, says: 'The order cannot be closed as it stands now.' },
  },
  refund: {
    ...CALLER_FAULTS,
    ...CHANNEL_TROUBLE,
    CERT_ERROR: { ...WRONG_CREDENTIALS, says: 'The certificate is missing or wrong.' },
    ERROR: { ...NEEDS_PERSON, says: 'Refused for what its text says.' },
    FREQUENCY_LIMITED: { ...RATE_LIMITED, says: 'Too many refunds of old orders; not accepted.' },
    INVALID_REQ_TOO_MUCH: { ...RATE_LIMITED, says: 'Too many bad requests; blocked for a while.' },
    INVALID_TRANSACTIONID: WRONG_TRANSACTION,
    NOTENOUGH: {
      outcome: 'not_enough',
      advice: 'again_later',
      hold: 'balance',
      says: 'The merchant has too little money; not accepted.',
    },
    ORDERNOTEXIST: { ...NEEDS_PERSON, says: 'There is no such order, or it is not paid.' },
    REFUND_FEE_MISMATCH: { ...NEEDS_PERSON, says: 'The number was sent before with other sums.' },
    TRADE_OVERDUE: { ...REFUSED_FOR_GOOD, says: 'The payment is more than a year old.' },
    USER_ACCOUNT_ABNORMAL: { ...REFUSED_FOR_GOOD, says: "The buyer's account is closed." },
  },
  refundquery: {
    ...CALLER_FAULTS,
    ...CHANNEL_TROUBLE,
    INVALID_TRANSACTIONID: WRONG_TRANSACTION,
    // Right after a lost answer this proves nothing: the refund may still come to be.
    REFUNDNOTEXIST: { ...NOT_EXIST_YET, says: 'No refund of this number is known.' },
  },
}

const MEANS_NOTHING = { ...UNKNOWN_LATER, says: 'Nothing that is documented.' } as const

/** What a code of a call means; `unknown` for every code that is not in the table. */
export function meaningOf<Call extends V2Call>(
  call: Call,
  code: string,
): CodeMeaning<OutcomeOfCall[Call] | 'unknown'> {
  const table: CodeTable<OutcomeOfCall[Call]> = V2_ERROR_CODES[call]
  return (Object.hasOwn(table, code) ? table[code] : undefined) ?? MEANS_NOTHING
}

/** What stands in place of an answer that can be believed: nothing may be concluded from it. */
interface NoAnswer {
  readonly retry: 'soon' | 'later'
  readonly hold?: AccountHold
  readonly says: string
}

/** Our own codes for what is no answer, in lower case, so that none is taken for the channel's. */
export const NO_ANSWERS = {
  aborted: { retry: 'soon', says: 'The caller gave up.' },
  answer_timeout: { retry: 'soon', says: 'The call was sent and no whole answer came in time.' },
  answer_too_large: { retry: 'soon', says: 'The answer was larger than any answer is.' },
  connect_timeout: { retry: 'soon', says: 'No connection came about in time; nothing was sent.' },
  network_error: { retry: 'soon', says: 'The connection was refused, broke, or cut the answer.' },
  tls_error: { retry: 'soon', says: 'One side did not trust the certificate of the other.' },
  http_5nn: { retry: 'soon', says: 'A status of 500 or more; the code names it.' },
  http_nnn: { retry: 'later', says: 'Any other status but 200; the code names it.' },
  not_xml: { retry: 'later', says: 'An HTML page, half a document, or XML that V2 does not use.' },
  return_code_fail: { retry: 'later', says: '`return_code` is not SUCCESS: nobody signed this.' },
  bad_signature: {
    retry: 'later',
    hold: 'credentials',
    says: 'The answer is not signed with the API key.',
  },
  incomplete_answer: { retry: 'later', says: 'The answer lacks what this call must answer.' },
  foreign_answer: { retry: 'later', says: 'The answer is about something else than was asked.' },
} as const satisfies Readonly<Record<string, NoAnswer>>

export type NoAnswerCode = keyof typeof NO_ANSWERS

/** How `return_msg` tells of a key, certificate or number that does not fit the merchant's. */
const CREDENTIALS_PATTERN = /签名|证书|商户号|sign ?error|cert|mch_?id|appid/i

/**
 * What `return_code` FAIL lets one suspect of the account. The answer is not signed and its text is
 * free, so its outcome stays unknown: it is a reason to hold what was not sent, and no more.
 */
export function holdOfProtocolFailure(message: string): AccountHold | undefined {
  return CREDENTIALS_PATTERN.test(message) ? 'credentials' : undefined
}

/** How TLS tells that the channel, or our own side, does not take the merchant's certificate. */
const CERTIFICATE_PATTERN = /ALERT_(?:BAD_CERT|UNKNOWN_CA|\w*CERTIFICATE)|KEY_VALUES_MISMATCH/

/** What a failure of TLS lets one suspect of the account, by the system's code for it. */
export function holdOfTlsFailure(systemCode: string): AccountHold | undefined {
  return CERTIFICATE_PATTERN.test(systemCode) ? 'credentials' : undefined
}

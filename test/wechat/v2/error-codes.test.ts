import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { ACCOUNT_HOLDS } from '../../../src/domain/channel.js'
import { meaningOf, V2_CALLS, V2_ERROR_CODES } from '../../../src/wechat/v2/error-codes.js'
import type { V2Call } from '../../../src/wechat/v2/error-codes.js'
import { startChannelToSandbox } from '../support/sandbox-channel.js'
import type { ChannelToSandbox } from '../support/sandbox-channel.js'

type Row = readonly [code: string, outcome: string, advice: string, hold?: string]

const CALLER_FAULTS: readonly Row[] = [
  ['APPID_MCHID_NOT_MATCH', 'refused', 'person', 'credentials'],
  ['APPID_NOT_EXIST', 'refused', 'person', 'credentials'],
  ['INVALID_REQUEST', 'refused', 'person'],
  ['LACK_PARAMS', 'refused', 'person'],
  ['MCHID_NOT_EXIST', 'refused', 'person', 'credentials'],
  ['NOAUTH', 'refused', 'person', 'permission'],
  ['NOT_UTF8', 'refused', 'person'],
  ['PARAM_ERROR', 'refused', 'person'],
  ['POST_DATA_EMPTY', 'refused', 'person'],
  ['REQUIRE_POST_METHOD', 'refused', 'person'],
  ['SIGNERROR', 'refused', 'person', 'credentials'],
  ['XML_FORMAT_ERROR', 'refused', 'person'],
]

const TROUBLE: readonly Row[] = [
  ['SYSTEMERROR', 'unknown', 'again_now'],
  ['BIZERR_NEED_RETRY', 'unknown', 'again_now'],
]

const SLOW_DOWN: readonly Row[] = [
  ['FREQUENCY_LIMITED', 'unknown', 'again_later', 'rate'],
  ['INVALID_REQ_TOO_MUCH', 'unknown', 'again_later', 'rate'],
]

const EXPECTED: Readonly<Record<V2Call, readonly Row[]>> = {
  unifiedorder: [
    ...CALLER_FAULTS,
    ...TROUBLE,
    ...SLOW_DOWN,
    ['NOTENOUGH', 'refused', 'final'],
    ['ORDERCLOSED', 'closed', 'final'],
    ['ORDERPAID', 'already_paid', 'already_done'],
    ['OUT_TRADE_NO_USED', 'refused', 'final'],
  ],
  orderquery: [
    ...CALLER_FAULTS,
    ...TROUBLE,
    ...SLOW_DOWN,
    ['INVALID_TRANSACTIONID', 'refused', 'person'],
    ['ORDERNOTEXIST', 'not_exist', 'again_later'],
  ],
  closeorder: [
    ...CALLER_FAULTS,
    ...TROUBLE,
    ['FREQUENCY_LIMITED', 'unknown', 'again_later'],
    ['INVALID_REQ_TOO_MUCH', 'unknown', 'again_later', 'rate'],
    ['ORDERCLOSED', 'closed', 'already_done'],
    ['ORDERNOTEXIST', 'not_exist', 'again_later'],
    ['ORDERPAID', 'already_paid', 'already_done'],
    ['TRADE_STATE_ERROR', 'unknown', 'again_later'],
  ],
  refund: [
    ...CALLER_FAULTS,
    ...TROUBLE,
    ['CERT_ERROR', 'refused', 'person', 'credentials'],
    ['ERROR', 'refused', 'person'],
    ['FREQUENCY_LIMITED', 'rate_limited', 'again_later', 'rate'],
    ['INVALID_REQ_TOO_MUCH', 'rate_limited', 'again_later', 'rate'],
    ['INVALID_TRANSACTIONID', 'refused', 'person'],
    ['NOTENOUGH', 'not_enough', 'again_later', 'balance'],
    ['ORDERNOTEXIST', 'refused', 'person'],
    ['REFUND_FEE_MISMATCH', 'refused', 'person'],
    ['TRADE_OVERDUE', 'refused', 'final'],
    ['USER_ACCOUNT_ABNORMAL', 'refused', 'final'],
  ],
  refundquery: [
    ...CALLER_FAULTS,
    ...TROUBLE,
    ...SLOW_DOWN,
    ['INVALID_TRANSACTIONID', 'refused', 'person'],
    ['REFUNDNOTEXIST', 'not_exist', 'again_later'],
  ],
}

/** What the port tells of an advice, where it tells of it at all. */
const RETRIES: Readonly<Record<string, string>> = {
  'unknown again_now': 'soon',
  'unknown again_later': 'later',
  'refused person': 'after_change',
  'refused final': 'never',
}

const ROWS = V2_CALLS.flatMap((call) =>
  EXPECTED[call].map(([code, outcome, advice, hold]) => ({ call, code, outcome, advice, hold })),
)

let peer: ChannelToSandbox

beforeAll(async () => {
  peer = await startChannelToSandbox()
})

afterAll(() => peer.stop())

describe('Error codes of V2', () => {
  test.each(ROWS)(
    '$call: $code is $outcome, $advice, from the sandbox to the port',
    async ({ call, code, outcome, advice, hold }) => {
      const { says, ...meaning } = meaningOf(call, code)
      expect(meaning).toEqual({ outcome, advice, ...(hold && { hold }) })
      expect(says).toMatch(/^[A-Z].*\.$/)

      await peer.arm({ match: { call }, fault: 'error', code })
      const retry = RETRIES[`${outcome} ${advice}`]
      expect(await peer.call(call)).toEqual({
        kind: outcome,
        code,
        message: expect.stringMatching(/\S/),
        ...(hold && { hold }),
        ...(retry && { retry }),
      })
    },
  )

  test.each(V2_CALLS)('%s: every code of the table has its row here', (call) => {
    const expected = EXPECTED[call].map(([code]) => code)
    expect(Object.keys(V2_ERROR_CODES[call]).toSorted()).toEqual(expected.toSorted())
  })

  test('every reason to hold an account comes from some code', () => {
    expect(new Set(ROWS.flatMap(({ hold }) => hold ?? []))).toEqual(new Set(ACCOUNT_HOLDS))
  })
})

/** What is not an answer, with our own name for it. */
const NO_ANSWERS = [
  ['a code that nobody knows', { fault: 'error', code: 'SOMETHING_NEW' }, 'SOMETHING_NEW'],
  ['a code of another interface', { fault: 'error', code: 'BANKERROR' }, 'BANKERROR'],
  ['return_code FAIL', { fault: 'return_fail' }, 'return_code_fail'],
  ['a wrong signature', { fault: 'bad_sign' }, 'bad_signature'],
  ['an HTML page', { fault: 'html' }, 'http_502'],
  ['half an answer', { fault: 'cut' }, 'network_error'],
  ['silence', { fault: 'silent' }, 'answer_timeout'],
  ['a lost answer', { fault: 'timeout_after', ms: 50 }, 'network_error'],
  ['an unheard call', { fault: 'timeout_before', ms: 50 }, 'network_error'],
] as const

describe.each(V2_CALLS)('What is no answer to %s', (call) => {
  test.each(NO_ANSWERS)('%s decides nothing', async (_, fault, code) => {
    await peer.arm({ match: { call }, ...fault })
    expect(await peer.call(call)).toMatchObject({ kind: 'unknown', code })
  })
})

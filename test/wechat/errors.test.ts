import { describe, expect, test } from 'vitest'

import { meaningOf, V2_ERROR_CODES } from '../../src/wechat/errors.js'
import type { V2Call } from '../../src/wechat/errors.js'
import { readCloseOrder } from '../../src/wechat/v2/close-order.js'
import { readOrderQuery } from '../../src/wechat/v2/order-query.js'
import { readRefund } from '../../src/wechat/v2/refund.js'
import { readRefundQuery } from '../../src/wechat/v2/refund-query.js'
import { readUnifiedOrder } from '../../src/wechat/v2/unified-order.js'
import { APP_ID, MERCHANT, signedAnswer } from './support/messages.js'

const ORDER = { appId: APP_ID, outTradeNo: 'T20260101000001' }
const REFUND = {
  ...ORDER,
  outRefundNo: 'R1',
  totalFee: 100,
  refundFee: 10,
  reason: '',
  notifyUrl: '',
  opUserId: '',
}

/** What each call makes of a business error, from the whole signed answer. */
function resultOf(call: V2Call, code: string): { kind: string; code?: string; retry?: string } {
  const answer = signedAnswer({ result_code: 'FAIL', err_code: code, err_code_des: '系统错误' })
  switch (call) {
    case 'unifiedorder':
      return readUnifiedOrder(answer, ORDER, MERCHANT)
    case 'orderquery':
      return readOrderQuery(answer, ORDER, MERCHANT)
    case 'closeorder':
      return readCloseOrder(answer, ORDER, MERCHANT)
    case 'refund':
      return readRefund(answer, REFUND, MERCHANT)
    case 'refundquery':
      return readRefundQuery(answer, REFUND, MERCHANT)
  }
}

type Row = readonly [code: string, outcome: string, advice: string]

const CALLER_FAULTS: readonly Row[] = [
  ['APPID_MCHID_NOT_MATCH', 'refused', 'person'],
  ['APPID_NOT_EXIST', 'refused', 'person'],
  ['INVALID_REQUEST', 'refused', 'person'],
  ['LACK_PARAMS', 'refused', 'person'],
  ['MCHID_NOT_EXIST', 'refused', 'person'],
  ['NOAUTH', 'refused', 'person'],
  ['NOT_UTF8', 'refused', 'person'],
  ['PARAM_ERROR', 'refused', 'person'],
  ['POST_DATA_EMPTY', 'refused', 'person'],
  ['REQUIRE_POST_METHOD', 'refused', 'person'],
  ['SIGNERROR', 'refused', 'person'],
  ['XML_FORMAT_ERROR', 'refused', 'person'],
]

const TROUBLE: readonly Row[] = [
  ['SYSTEMERROR', 'unknown', 'again_now'],
  ['BIZERR_NEED_RETRY', 'unknown', 'again_now'],
]

const SLOW_DOWN: readonly Row[] = [
  ['FREQUENCY_LIMITED', 'unknown', 'again_later'],
  ['INVALID_REQ_TOO_MUCH', 'unknown', 'again_later'],
]

const EXPECTED: Readonly<Record<V2Call, readonly Row[]>> = {
  unifiedorder: [
    ...CALLER_FAULTS,
    ...TROUBLE,
    ...SLOW_DOWN,
    ['NOTENOUGH', 'refused', 'final'],
    ['ORDERCLOSED', 'closed', 'final'],
    ['ORDERPAID', 'already_paid', 'final'],
    ['OUT_TRADE_NO_USED', 'refused', 'person'],
  ],
  orderquery: [
    ...CALLER_FAULTS,
    ...TROUBLE,
    ...SLOW_DOWN,
    ['INVALID_TRANSACTIONID', 'refused', 'person'],
    ['ORDERNOTEXIST', 'not_exist', 'final'],
  ],
  closeorder: [
    ...CALLER_FAULTS,
    ...TROUBLE,
    ...SLOW_DOWN,
    ['ORDERCLOSED', 'closed', 'final'],
    ['ORDERNOTEXIST', 'not_exist', 'final'],
    ['ORDERPAID', 'already_paid', 'final'],
    ['TRADE_STATE_ERROR', 'unknown', 'again_later'],
  ],
  refund: [
    ...CALLER_FAULTS,
    ...TROUBLE,
    ['CERT_ERROR', 'refused', 'person'],
    ['ERROR', 'refused', 'person'],
    ['FREQUENCY_LIMITED', 'rate_limited', 'again_later'],
    ['INVALID_REQ_TOO_MUCH', 'rate_limited', 'again_later'],
    ['INVALID_TRANSACTIONID', 'refused', 'person'],
    ['NOTENOUGH', 'not_enough', 'again_later'],
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
    ['REFUNDNOTEXIST', 'not_exist', 'final'],
  ],
}

const CALLS = Object.keys(EXPECTED) as V2Call[]
const ROWS = CALLS.flatMap((call) =>
  EXPECTED[call].map(([code, outcome, advice]) => ({ call, code, outcome, advice })),
)

describe('Error codes of V2', () => {
  test.each(ROWS)('$call: $code is $outcome, $advice', ({ call, code, outcome, advice }) => {
    expect(meaningOf(call, code)).toEqual({ outcome, advice })
    const retry = advice === 'again_now' ? 'soon' : 'later'
    expect(resultOf(call, code)).toMatchObject({
      kind: outcome,
      code,
      message: '系统错误',
      ...(outcome === 'unknown' ? { retry } : {}),
    })
  })

  test.each(CALLS)('%s: every code of the table has its row here', (call) => {
    const expected = EXPECTED[call].map(([code]) => code)
    expect(Object.keys(V2_ERROR_CODES[call]).toSorted()).toEqual(expected.toSorted())
  })

  test.each(CALLS)('%s: a code that nobody knows decides nothing', (call) => {
    for (const code of ['SOMETHING_NEW', 'toString', '__proto__', 'ordernotexist']) {
      expect(resultOf(call, code)).toMatchObject({ kind: 'unknown', code, retry: 'later' })
    }
  })
})

import { NOBODY, once, ORDER, refusedCall, type BadInput } from './bad-input.js'

/** What no input brings about by itself: what has to happen, and one request that meets it. */

const ASK = {
  route: '/v1/payments/:id/query',
  as: 'asker',
  path: ({ openId }: { readonly openId: string }) => `/v1/payments/${openId}/query`,
} as const

export const NOT_BY_INPUT: readonly BadInput[] = [
  refusedCall('the engine is away', [503, 'engine_unavailable'], {
    ...ASK,
    given: (stage) => stage.engineAway(),
  }),
  refusedCall('the database is away', [503, 'database_unavailable'], {
    ...ASK,
    given: (stage) => stage.databaseAway(),
  }),
  refusedCall('a mistake of ours', [500, 'internal_error'], {
    route: '/v1/payments/adopt',
    as: 'asker',
    given: (stage) => stage.adopts({ outcome: 'adopted', paymentId: NOBODY }),
    path: () => '/v1/payments/adopt',
    body: () => ({ appId: 'wx2421b1c4370ec43b', outTradeNo: 'OLD-0002' }),
  }),
  refusedCall('WeChat Pay gives no clear answer about a payment', [503, 'channel_unavailable'], {
    ...ASK,
    given: (stage) => stage.channelSays('unknown'),
  }),
  refusedCall('WeChat Pay gives no clear answer about a refund', [503, 'channel_silent'], {
    route: '/v1/refunds/:id/resolve',
    as: 'approver',
    counter: 'refund_requests_total',
    given: (stage) => stage.resolves('channel_silent'),
    path: ({ stuckRefundId }) => `/v1/refunds/${stuckRefundId}/resolve`,
    body: () => ({ as: 'settled', actingUser: 'zhao.min', evidence: 'transfer 7' }),
  }),
  {
    what: 'an account takes real money and the public base URL is not public',
    status: 409,
    code: 'account_unusable',
    counter: 'payment_requests_total{result="account_unusable"}',
    log: 'answered',
    request: () => ({
      call: 'POST /v1/payments',
      as: 'live',
      idempotencyKey: once(),
      body: ORDER,
    }),
  },
  refusedCall('somebody else adds a key at the same time', [409, 'credential_conflict'], {
    route: '/v1/merchants/:id/credentials',
    as: 'head',
    given: (stage) => stage.addsKeyMeanwhile(),
    path: () => '/v1/merchants/tea-house/credentials',
    body: ({ accountId }) => ({ accountId, actingUser: 'head', apiV2Key: 'k'.repeat(32) }),
  }),
]

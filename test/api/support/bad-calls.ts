import { refusedCall, type BadInput, type Outcome, type Standing } from './bad-input.js'

/** What is refused of other calls than orders and refunds, as rows of docs/reference/errors.md. */

const APP_ID = 'wx2421b1c4370ec43b'
const ENDPOINT = { url: 'https://shop.example.com/hook', livemode: false }
const ENDPOINTS_MAX = 16
const STREAMS_MAX = 20

type PaymentId = 'paidId' | 'openId' | 'closedId'

const onPayment = (
  what: string,
  outcome: Outcome,
  verb: 'close' | 'prepay',
  payment: PaymentId,
  given?: NonNullable<BadInput['given']>,
): BadInput =>
  refusedCall(what, outcome, {
    route: `/v1/payments/:id/${verb}`,
    as: 'asker',
    ...(given === undefined ? {} : { given }),
    path: (standing) => `/v1/payments/${standing[payment]}/${verb}`,
  })

const OF_PAYMENT_ACTIONS: readonly BadInput[] = [
  onPayment('closing what is paid', [409, 'payment_paid'], 'close', 'paidId'),
  onPayment('paying what is closed', [409, 'payment_not_open'], 'prepay', 'closedId'),
  onPayment(
    'closing what the buyer is paying just now',
    [409, 'payment_being_paid'],
    'close',
    'openId',
    (stage) => stage.channelSays('paying'),
  ),
  onPayment(
    'closing what WeChat Pay does not know yet',
    [409, 'payment_being_placed'],
    'close',
    'openId',
    (stage) => stage.channelSays('not_exist'),
  ),
  refusedCall('accepting money that was never held', [409, 'payment_not_held'], {
    route: '/v1/payments/:id/resolve',
    as: 'approver',
    path: ({ paidId }) => `/v1/payments/${paidId}/resolve`,
    body: () => ({ as: 'accept', actingUser: 'zhao.min', reason: 'r' }),
  }),
]

const adopting = (
  what: string,
  outcome: Outcome,
  outTradeNo: (standing: Standing) => string,
  given?: NonNullable<BadInput['given']>,
): BadInput =>
  refusedCall(what, outcome, {
    route: '/v1/payments/adopt',
    as: 'asker',
    ...(given === undefined ? {} : { given }),
    path: () => '/v1/payments/adopt',
    body: (standing) => ({ appId: APP_ID, outTradeNo: outTradeNo(standing) }),
  })

const OLD_NUMBER = (): string => 'OLD-0001'

const OF_ADOPTIONS: readonly BadInput[] = [
  adopting('adopting a payment that is here', [409, 'payment_known'], (standing) => {
    return standing.paidOutTradeNo
  }),
  adopting('adopting what nobody paid', [409, 'order_not_paid'], OLD_NUMBER, (stage) => {
    stage.adopts('not_paid')
  }),
  adopting('adopting a foreign payment', [409, 'order_not_adoptable'], OLD_NUMBER, (stage) => {
    stage.adopts('not_adoptable')
  }),
]

const resolvingCase = (
  what: string,
  outcome: Outcome,
  caseOf: (standing: Standing) => string,
): BadInput =>
  refusedCall(what, outcome, {
    route: '/v1/cases/:id/resolve',
    as: 'approver',
    path: (standing) => `/v1/cases/${caseOf(standing)}/resolve`,
    body: () => ({ actingUser: 'zhao.min', note: 'n' }),
  })

const OF_CASES: readonly BadInput[] = [
  resolvingCase(
    'resolving the case of money that is held',
    [409, 'case_cause_lasts'],
    ({ heldCaseId }) => heldCaseId,
  ),
  resolvingCase(
    'resolving a case that somebody else resolved',
    [409, 'case_resolved'],
    ({ resolvedCaseId }) => resolvedCaseId,
  ),
]

const OF_THE_REST: readonly BadInput[] = [
  refusedCall('a file that is no certificate', [422, 'certificate_refused'], {
    route: '/v1/merchants/:id/credentials',
    as: 'head',
    path: () => '/v1/merchants/tea-house/credentials',
    body: ({ accountId }) => ({ accountId, actingUser: 'head', p12Base64: 'AAAA' }),
  }),
  refusedCall('a test of a webhook that is switched off', [409, 'webhook_endpoint_disabled'], {
    route: '/v1/webhook-endpoints/:id/test',
    as: 'head',
    path: ({ endpointId }) => `/v1/webhook-endpoints/${endpointId}/test`,
  }),
  refusedCall('a webhook to a private address', [400, 'invalid_request'], {
    route: '/v1/webhook-endpoints',
    as: 'head',
    path: () => '/v1/webhook-endpoints',
    body: () => ({ ...ENDPOINT, url: 'https://10.0.0.1/hook' }),
  }),
  refusedCall('the 17th webhook', [409, 'too_many_webhook_endpoints'], {
    route: '/v1/webhook-endpoints',
    as: 'head',
    given: (stage) => stage.hasEndpoints(ENDPOINTS_MAX),
    path: () => '/v1/webhook-endpoints',
    body: () => ENDPOINT,
  }),
  {
    what: 'the 21st event stream at a time',
    status: 409,
    code: 'too_many_streams',
    counter: 'http_request_duration_seconds_count{method="GET",route="/v1/events",status="409"}',
    log: 'answered',
    given: (stage) => stage.followsEvents(STREAMS_MAX),
    request: () => ({ call: 'GET /v1/events', as: 'reader', accept: 'text/event-stream' }),
  },
]

export const BAD_CALLS: readonly BadInput[] = [
  ...OF_PAYMENT_ACTIONS,
  ...OF_ADOPTIONS,
  ...OF_CASES,
  ...OF_THE_REST,
]

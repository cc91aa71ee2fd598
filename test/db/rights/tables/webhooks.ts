import { noCall, noRight, refused, type Refusal } from '../../support/refusals.js'
import { ATTEMPT, ENDPOINT } from '../../support/webhook-texts.js'

const DELIVERY = `insert into webhook_deliveries (id, endpoint_id, merchant_id, event_id, type,
  body, state, next_at, created_at)
  values (gen_random_uuid(), gen_random_uuid(), 'demo', gen_random_uuid(), 'payment.paid',
  '{"amountFen":1}', 'pending', now(), now())`

export const WEBHOOK_REFUSALS: readonly Refusal[] = [
  ...refused('api', noRight('webhook_secrets'), {
    'reads a secret back': 'select ciphertext from webhook_secrets',
  }),
  ...refused('api', noRight('webhook_deliveries'), {
    'puts words into the mouth of the engine': DELIVERY,
    'takes back what was sent': 'delete from webhook_deliveries',
    'says that something was delivered': "update webhook_deliveries set state = 'delivered'",
  }),
  ...refused('api', noRight('webhook_attempts'), {
    'makes an attempt up': ATTEMPT,
  }),
  ...refused('api', noRight('webhook_endpoints'), {
    'gives an endpoint to another merchant': "update webhook_endpoints set merchant_id = 'other'",
    'sends live events to a sandbox endpoint': 'update webhook_endpoints set livemode = true',
    'removes an endpoint and its log': 'delete from webhook_endpoints',
  }),
  ...refused('api', noRight('stream_cursors'), {
    'has events left out': 'update stream_cursors set position = 1000000',
  }),
  ...refused('api', noCall('forget_webhook_deliveries'), {
    'forgets deliveries': 'select forget_webhook_deliveries(now(), 1)',
  }),
  ...refused('api', noCall('drop_webhook_attempts'), {
    'drops attempts': 'select drop_webhook_attempts(now())',
  }),
  ...refused('worker', noRight('webhook_endpoints'), {
    'adds an endpoint': ENDPOINT,
    'sends events elsewhere': "update webhook_endpoints set url = 'https://elsewhere.example.com/'",
  }),
  ...refused('worker', noRight('webhook_secrets'), {
    'replaces a secret': "update webhook_secrets set ciphertext = 'mine'",
  }),
  ...refused('worker', noRight('webhook_deliveries'), {
    'changes what is sent': `update webhook_deliveries set body = '{"amountFen":2}'`,
    'removes what was sent': 'delete from webhook_deliveries',
  }),
  ...refused('worker', noRight('webhook_attempts'), {
    'removes an attempt': 'delete from webhook_attempts',
  }),
  ...refused('worker', noRight('stream_cursors'), {
    'removes how far a reader has come': 'delete from stream_cursors',
  }),
  ...refused('owner', 'webhook_deliveries_in_line', {
    'sends an event of a payment outside its line': DELIVERY.replace(
      'next_at,',
      'sequence, next_at,',
    ).replace("'pending',", "'pending', 1,"),
  }),
  ...refused('owner', 'webhook_deliveries_finished', {
    'ends a delivery without saying when': DELIVERY.replace("'pending'", "'delivered'"),
  }),
  ...refused('owner', 'webhook_attempts_ended', {
    'makes an attempt that came to nothing': ATTEMPT.replace('200', 'null'),
  }),
  ...refused('owner', 'webhook_attempts_default_immutable', {
    'changes an attempt': 'update webhook_attempts set status = 500',
  }),
  ...refused('owner', 'webhook_endpoints_says_why', {
    'switches an endpoint off without a reason': ENDPOINT.replace("true, 'v1'", "false, 'v1'"),
  }),
]

import { describe } from 'vitest'

import { allowed } from '../support/refusals.js'
import { testPermissions, testRefusals, useScene } from '../support/rights.js'
import { ENDPOINT } from '../support/webhook-texts.js'
import { WEBHOOK_REFUSALS } from './tables/webhooks.js'

const ALLOWED = [
  ...allowed('api', {
    'adds an endpoint': ENDPOINT,
    'switches an endpoint off': `update webhook_endpoints set enabled = false,
      disabled_reason = 'by_merchant'`,
    'sees when secrets expire': 'select version, expires_at from webhook_secrets',
    'reads the delivery log': 'select * from webhook_deliveries, webhook_attempts',
    'asks for a test': `select add_webhook_ping(gen_random_uuid(), gen_random_uuid(),
      gen_random_uuid(), '{}', now())`,
    'asks for a replay': 'select replay_webhook_delivery(gen_random_uuid(), now())',
  }),
  ...allowed('worker', {
    'reads secrets': 'table webhook_secrets',
    'switches off an endpoint that is gone': `update webhook_endpoints set enabled = false,
      disabled_reason = 'gone'`,
    'moves its cursor': 'update stream_cursors set position = 1',
  }),
]

describe('rights on webhooks', () => {
  const scene = useScene()
  testRefusals(scene, WEBHOOK_REFUSALS)
  testPermissions(scene, ALLOWED)
})

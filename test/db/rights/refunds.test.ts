import { describe } from 'vitest'

import { allowed } from '../support/refusals.js'
import { ask, changeRefund } from '../support/texts.js'
import { testPermissions, testRefusals, useScene } from '../support/rights.js'
import { REFUND_REFUSALS } from './tables/refunds.js'

const ALLOWED = [
  ...allowed('api', { 'asks for a refund': ask(1) }),
  ...allowed('worker', {
    'approves a refund': changeRefund('pending', "state = 'approved'"),
    'sends a refund': changeRefund('approved', "state = 'refunding', first_submitted_at = now()"),
    'ends a refund': changeRefund('refunding', "state = 'done', done_at = now()"),
  }),
]

describe('rights on refunds', () => {
  const scene = useScene()
  testRefusals(scene, REFUND_REFUSALS)
  testPermissions(scene, ALLOWED)
})

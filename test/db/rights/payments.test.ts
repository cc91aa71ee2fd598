import { describe } from 'vitest'

import { allowed } from '../support/refusals.js'
import { PAYMENT, changePayment, paidColumns } from '../support/texts.js'
import { testPermissions, testRefusals, useScene } from '../support/rights.js'
import { PAYMENT_REFUSALS } from './tables/payments.js'

const ALLOWED = [
  ...allowed('api', { 'creates a payment': PAYMENT }),
  ...allowed('worker', {
    'places a payment': changePayment('created', "state = 'awaiting_payment'"),
    'books a payment': changePayment('awaiting', paidColumns(100)),
  }),
]

describe('rights on payments', () => {
  const scene = useScene()
  testRefusals(scene, PAYMENT_REFUSALS)
  testPermissions(scene, ALLOWED)
})

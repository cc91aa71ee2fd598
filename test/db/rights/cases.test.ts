import { describe } from 'vitest'

import { allowed } from '../support/refusals.js'
import { testPermissions, testRefusals, useScene } from '../support/rights.js'
import { bookExternal, changeRefund, OPEN_CASE, RESOLVE_CASE } from '../support/texts.js'
import { CASE_REFUSALS } from './tables/cases.js'

const ALLOWED = [
  ...allowed('worker', {
    'books a refund of the portal': bookExternal('success'),
    'opens a case': OPEN_CASE,
    'reads the cases': 'select from cases join case_events on case_id = id',
  }),
  ...allowed('api', { 'resolves a case': RESOLVE_CASE, 'reads the cases': 'table cases' }),
  ...allowed('worker', {
    'stops what does not fit': changeRefund('stopped', "state = 'cancelled'"),
  }),
]

describe('rights on refunds of the portal and their cases', () => {
  const scene = useScene()
  testRefusals(scene, CASE_REFUSALS)
  testPermissions(scene, ALLOWED)
})

import { describe } from 'vitest'

import { testRefusals, useScene } from '../support/rights.js'
import { RETENTION_REFUSALS } from './tables/retention.js'

describe('rights on what goes by itself', () => {
  testRefusals(useScene(), RETENTION_REFUSALS)
})

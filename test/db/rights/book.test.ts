import { describe } from 'vitest'

import { allowed } from '../support/refusals.js'
import { REVERSAL, TRANSFER } from '../support/texts.js'
import { testPermissions, testRefusals, useScene } from '../support/rights.js'
import { AUDIT, EVENT, EVENT_REFUSALS, JOURNAL_REFUSALS } from './tables/book.js'

const ALLOWED = [
  ...allowed('worker', {
    'posts a line': TRANSFER,
    'reverses an entry': REVERSAL,
    'writes an event': EVENT,
    'writes the audit log': AUDIT,
  }),
  ...allowed('api', {
    'writes the audit log for a key': AUDIT.replace('engine', 'api_key'),
    'reads the journal': 'table journal_transfers',
  }),
]

describe('rights on the journal', () => {
  testRefusals(useScene(), JOURNAL_REFUSALS)
})

describe('rights on audit log and events', () => {
  const scene = useScene()
  testRefusals(scene, EVENT_REFUSALS)
  testPermissions(scene, ALLOWED)
})

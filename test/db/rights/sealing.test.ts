import { beforeAll, describe } from 'vitest'

import { checkpointBalances } from '../../../src/ledger/checkpoints.js'
import { createSealer } from '../../../src/ledger/sealer.js'
import { KEY } from '../../ledger/support/sealed-book.js'
import { allowed } from '../support/refusals.js'
import { testPermissions, testRefusals, useScene } from '../support/rights.js'
import { TRANSFER } from '../support/texts.js'
import { seal, SEALING_REFUSALS } from './tables/sealing.js'

const SEALED_AT = new Date('2026-03-01T00:00:00Z')
const DAY_MS = 86_400_000

/** A scene whose entries are sealed and kept by day, and whose events have their positions. */
function useSealedScene() {
  const scene = useScene()
  beforeAll(async () => {
    const { worker: database } = scene().book
    await createSealer({ database, key: KEY, clock: { now: () => SEALED_AT } })()
    await checkpointBalances(database, new Date(SEALED_AT.getTime() + DAY_MS))
    await database.rows({ text: scene().sql(TRANSFER) }, [])
  })
  return scene
}

describe('rights on what is sealed', () => {
  testRefusals(useSealedScene(), SEALING_REFUSALS)
})

describe('what the sealing needs', () => {
  testPermissions(useSealedScene(), [
    ...allowed('worker', {
      'writes the seal that follows': seal(),
      'keeps the balances of a day': "select checkpoint_balances('2026-03-05')",
      'gives events their positions': 'select position_events(10)',
    }),
    ...allowed('api', { 'reads the seals': 'select from seals join seal_keys using (key_id)' }),
  ])
})

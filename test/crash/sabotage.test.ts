import { afterAll, beforeAll, expect, it } from 'vitest'

import { REFUND_WAYS } from './paths/refunds.js'
import { endingOf, type Ending } from './support/ending.js'
import { Lane } from './support/lane.js'
import { buildLaneParts } from './support/lane-parts.js'
import type { Way } from './support/ways.js'

const TIMEOUT_MS = 240_000

let lane: Lane

beforeAll(async () => {
  lane = await Lane.open({ ...(await buildLaneParts()), sabotage: 'new-number-on-resume' })
}, TIMEOUT_MS)
afterAll(() => lane.close())

const way = REFUND_WAYS.find(({ name }) => name === 'a refund, asked for until it is done') as Way

const walk = async (): Promise<Ending> => endingOf(lane.stack, await way.walk(lane.stack))

it(
  'a worker that takes a new number when it goes on: is seen, because the money leaves twice',
  async () => {
    const usual = await walk()
    expect(usual.refunds).toHaveLength(1)
    const deathbed = { name: 'refundAtChannel.submitRefund', side: 'after' } as const
    const ending = await lane.dying(deathbed, walk)
    expect(ending).not.toEqual(usual)
    expect(ending.refunds).toHaveLength(2)
  },
  TIMEOUT_MS,
)

import { setImmediate as turn } from 'node:timers/promises'

import { describe, expect, test } from 'vitest'

import type { StrikeKind } from '../../src/chaos/kinds.js'
import { Striker } from '../../src/chaos/striker.js'

/** A fleet whose processes end as they are told to, or as the test says, and the strikes at it. */
function open(endsAs: (name: string) => string = () => 'SIGKILL') {
  const struck: string[] = []
  let away = 0
  let awayAtMost = 0
  let armedAgain = 0
  const fleet = {
    async strike(name: string, signal: NodeJS.Signals) {
      struck.push(`${name} ${signal}`)
      away += 1
      awayAtMost = Math.max(awayAtMost, away)
      await turn()
      away -= 1
      return endsAs(name)
    },
    signal: () => undefined,
  }
  const processes = (what: string) => [1, 2].map((n) => ({ name: `${what}-${n}`, clockFile: '' }))
  const striker = new Striker({
    fleet,
    desk: { jump: async (byMs) => byMs },
    faults: { armAgain: async () => void (armedAgain += 1) },
    workers: processes('worker'),
    apis: processes('api'),
  })
  const run = async (kind: StrikeKind) => {
    await striker.run([{ kind, afterOrders: 0, target: 1, ms: 0 }])
    return { struck, awayAtMost, armedAgain, happened: striker.happened }
  }
  return { run }
}

describe.concurrent('a strike', () => {
  test.each([
    ['worker_killed', ['worker-2 SIGKILL'], 1],
    ['workers_killed', ['worker-1 SIGKILL', 'worker-2 SIGKILL'], 2],
    ['api_killed', ['api-2 SIGKILL'], 1],
    ['apis_killed', ['api-1 SIGKILL', 'api-2 SIGKILL'], 2],
    ['temporal_killed', ['temporal SIGKILL'], 1],
    ['postgres_restarted', ['postgres SIGQUIT'], 1],
  ] as const)('%s: ends %j, of which %i are away at once', async (kind, whom, atOnce) => {
    const { struck, awayAtMost, happened } = await open().run(kind)
    expect(struck).toEqual(whom)
    expect(awayAtMost).toBe(atOnce)
    expect(happened).toEqual({ [kind]: 1 })
  })

  test('sandbox_killed: has the faults armed again that it forgot', async () => {
    expect(await open().run('sandbox_killed')).toMatchObject({ armedAgain: 1 })
  })

  test('workers_killed: has not happened where one of them ended by itself', async () => {
    const { happened } = await open((name) => (name === 'worker-1' ? 'status 0' : 'SIGKILL')).run(
      'workers_killed',
    )
    expect(happened).toEqual({})
  })

  test('channel_clock_jump: has happened where the channel says so', async () => {
    const { happened } = await open().run('channel_clock_jump')
    expect(happened).toEqual({ channel_clock_jump: 1 })
  })
})

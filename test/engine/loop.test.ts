import { setTimeout as sleep } from 'node:timers/promises'

import { describe, expect, test } from 'vitest'

import { startLoop } from '../../src/engine/loop.js'

const failOn = (error: unknown): never => {
  throw error
}

describe('startLoop', () => {
  test('ticks: come one after another, never two at once', async () => {
    let running = 0
    let runningMax = 0
    let ticks = 0
    const loop = startLoop({
      everyMs: 1,
      onError: failOn,
      tick: async () => {
        running += 1
        runningMax = Math.max(runningMax, running)
        await sleep(5)
        running -= 1
        ticks += 1
      },
    })
    while (ticks < 3) await sleep(1)
    await loop.stop()
    expect(runningMax).toBe(1)
  })

  test('a tick that fails: is reported, and the next one comes', async () => {
    const errors: unknown[] = []
    let ticks = 0
    const loop = startLoop({
      everyMs: 1,
      onError: (error) => errors.push(error),
      tick: () => {
        ticks += 1
        return ticks === 1 ? Promise.reject(new Error('the database is away')) : Promise.resolve()
      },
    })
    while (ticks < 2) await sleep(1)
    await loop.stop()
    expect(errors).toEqual([new Error('the database is away')])
  })

  test('stop: does not wait for the next tick', async () => {
    let ticks = 0
    const loop = startLoop({
      everyMs: 3_600_000,
      onError: failOn,
      tick: () => {
        ticks += 1
        return Promise.resolve()
      },
    })
    while (ticks < 1) await sleep(1)
    await loop.stop()
    expect(ticks).toBe(1)
  })

  test('stop: waits for the tick that runs', async () => {
    let ended = false
    const loop = startLoop({
      everyMs: 1,
      onError: failOn,
      tick: async () => {
        await sleep(20)
        ended = true
      },
    })
    await loop.stop()
    expect(ended).toBe(true)
  })
})

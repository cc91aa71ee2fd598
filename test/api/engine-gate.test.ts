import { describe, expect, test } from 'vitest'

import { EngineGate } from '../../src/api/engine-gate.js'

const never = () => new Promise<never>(() => undefined)

describe('the gate to the engine', () => {
  test('a call that is answered: gives its answer', async () => {
    const gate = new EngineGate(
      async () => true,
      () => undefined,
    )
    expect(await gate.run(async () => 7)).toBe(7)
  })

  test('a call that hangs while the engine is away: is given up and told to the log', async () => {
    const told: unknown[] = []
    const gate = new EngineGate(
      async () => false,
      (error) => void told.push(error),
    )
    await expect(gate.run(never)).rejects.toMatchObject({ code: 'engine_unavailable' })
    expect(told).toHaveLength(1)
  })

  test('a call that fails: is the engine being unavailable', async () => {
    const gate = new EngineGate(
      async () => true,
      () => undefined,
    )
    const failing = () => Promise.reject(new Error('UNAVAILABLE'))
    await expect(gate.run(failing)).rejects.toMatchObject({ code: 'engine_unavailable' })
  })

  test('many calls within a second: ask once whether the engine is there', async () => {
    let asked = 0
    const gate = new EngineGate(
      async () => {
        asked += 1
        return true
      },
      () => undefined,
    )
    await Promise.all(Array.from({ length: 20 }, () => gate.run(async () => undefined)))
    expect(asked).toBe(1)
  })

  test('an engine that came back: is asked again at once', async () => {
    let reachable = false
    const gate = new EngineGate(
      async () => reachable,
      () => undefined,
    )
    await expect(gate.run(never)).rejects.toMatchObject({ code: 'engine_unavailable' })
    reachable = true
    expect(await gate.run(async () => 1)).toBe(1)
  })
})

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { isClean, offendersOf } from '../../src/chaos/books/verdict.js'
import { sabotages } from '../../src/chaos/sabotage/catalogue.js'
import { statusOfSabotage } from '../../src/chaos/report.js'
import { playSabotage, playScenes } from '../../src/chaos/sabotage/play.js'
import { startTestSandbox, type TestSandbox } from '../support/sandbox.js'
import { Lanes } from './support/lanes.js'
import { openStage, RATE, type Stage } from './support/stage.js'

/** What a bug leaves undone is undone for ever, so it is not waited for as long. */
const SABOTAGED_CALM_MS = 4_000
const SOUND_CALM_MS = 60_000
const TIMEOUT_MS = 300_000

/** An API and a worker are much to start; more at once would only wait for each other. */
const lanes = new Lanes(3)
const all = Object.entries(sabotages)

let sandbox: TestSandbox

beforeAll(async () => {
  sandbox = await startTestSandbox({ rate: RATE })
})
afterAll(() => sandbox.stop())

async function onStage<T>(open: Promise<Stage>, play: (stage: Stage) => Promise<T>): Promise<T> {
  const stage = await open
  try {
    return await play(stage)
  } finally {
    await stage.stop()
  }
}

test('the catalogue: has twelve known bugs at least, each with a sentence', () => {
  expect(all.length).toBeGreaterThanOrEqual(12)
  for (const [, { sentence }] of all) expect(sentence).toMatch(/^[a-z].{20,}[^.]$/)
})

describe.concurrent('a planted bug', { timeout: TIMEOUT_MS }, () => {
  test.each(all)('%s: is found under its own name', async (name, bug) => {
    const played = await lanes.take(() =>
      onStage(openStage(name, sandbox, bug), ({ world }) =>
        playSabotage(world, bug, SABOTAGED_CALM_MS),
      ),
    )
    const { verdict, found } = played
    const named = offendersOf(verdict).map(({ kind, sentence }) => `${kind}: ${sentence}`)
    expect({ named, found }).toMatchObject({ found: { kind: bug.offence } })
    expect(statusOfSabotage(played)).toBe(1)
  })
})

describe('a sound system', { timeout: TIMEOUT_MS }, () => {
  test('the scenes of all bugs at once: name nobody', async () => {
    const bugs = Object.values(sabotages)
    const { verdict, subjects } = await onStage(openStage('sound', sandbox), ({ world }) =>
      playScenes(world, bugs, SOUND_CALM_MS),
    )
    expect(new Set(subjects).size).toBe(bugs.length)
    expect(offendersOf(verdict)).toEqual([])
    expect(isClean(verdict)).toBe(true)
  })
})

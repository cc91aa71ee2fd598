import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { failPointNames, type FailPointSide } from '../../src/domain/fail-points.js'
import '../../src/worker.js'
import '../../src/workflows/index.js'
import { MESSAGE_WAYS } from './paths/messages.js'
import { PAYMENT_WAYS } from './paths/payments.js'
import { REFUND_WAYS } from './paths/refunds.js'
import { WEBHOOK_WAYS } from './paths/webhooks.js'
import { endingOf, type Ending } from './support/ending.js'
import { Lane, NotReached } from './support/lane.js'
import { buildLaneParts } from './support/lane-parts.js'
import type { Way } from './support/ways.js'

/** Systems side by side: most of a death is waiting until Temporal notices it. */
const LANES = 12
const MATRIX_TIMEOUT_MS = 900_000
const WALKS_MAX = 3

const POINTS = failPointNames()
const WAYS: readonly Way[] = [...REFUND_WAYS, ...MESSAGE_WAYS, ...PAYMENT_WAYS, ...WEBHOOK_WAYS]

const isThrough = ({ through }: Way, name: string): boolean =>
  through.some((each) => (each.endsWith('.') ? name.startsWith(each) : name === each))

interface Usual {
  readonly ending: Ending
  /** What the way is there for and did not pass. */
  readonly missed: readonly string[]
}

interface Death {
  readonly way: Way
  readonly name: string
  readonly side: FailPointSide
}

const DEATHS: readonly Death[] = WAYS.flatMap((way) =>
  POINTS.filter((name) => isThrough(way, name)).flatMap((name) => [
    { way, name, side: 'before' as const },
    { way, name, side: 'after' as const },
  ]),
)

const usual = new Map<Way, Promise<Usual>>()
const endings = new Map<Death, Promise<Ending>>()
const lanes: Promise<Lane>[] = []

/** Work for whichever lane is free, in this order. */
const queue: ((lane: Lane) => Promise<void>)[] = []

function queued<T>(work: (lane: Lane) => Promise<T>): Promise<T> {
  const done = new Promise<T>((resolve, reject) => {
    queue.push((lane) => work(lane).then(resolve, reject))
  })
  // Whoever asks for it hears of a failure.
  done.catch(() => undefined)
  return done
}

async function workOff(lane: Promise<Lane>): Promise<void> {
  const open = await lane
  for (let work = queue.shift(); work !== undefined; work = queue.shift()) await work(open)
}

beforeAll(async () => {
  const parts = await buildLaneParts()
  for (const way of WAYS) usual.set(way, queued(walked(way)))
  for (const death of DEATHS) endings.set(death, queued(walkedDying(death)))
  for (let n = 0; n < LANES; n += 1) {
    // One after the other: each works as soon as it stands.
    const lane = (lanes.at(-1) ?? Promise.resolve()).then(() => Lane.open(parts))
    lanes.push(lane)
    workOff(lane).catch(() => undefined)
  }
  await lanes[0]
}, MATRIX_TIMEOUT_MS)

afterAll(async () => {
  queue.length = 0
  await Promise.all(lanes.map(async (lane) => (await lane).close()))
}, 60_000)

const missedBy = (way: Way, passed: ReadonlySet<string>): string[] =>
  POINTS.filter((name) => isThrough(way, name) && !passed.has(name))

/** On a busy machine a clock may be faster than what a way is about: it is walked again then. */
const walked =
  (way: Way, walks = 1) =>
  async (lane: Lane): Promise<Usual> => {
    const { result: ending, passed } = await lane.watching(async () =>
      endingOf(lane.stack, await way.walk(lane.stack)),
    )
    const missed = missedBy(way, passed)
    if (missed.length === 0 || walks === WALKS_MAX) return { ending, missed }
    return walked(way, walks + 1)(lane)
  }

const walkedDying =
  (death: Death, walks = 1) =>
  async (lane: Lane): Promise<Ending> => {
    const { way, name, side } = death
    try {
      const paymentId = await lane.dying({ name, side }, () => way.walk(lane.stack))
      return await endingOf(lane.stack, paymentId)
    } catch (error) {
      if (!(error instanceof NotReached) || walks === WALKS_MAX) throw error
      return walkedDying(death, walks + 1)(lane)
    }
  }

describe('a fail point', () => {
  it('wherever it is in the code: has a way that leads through it', () => {
    expect(POINTS.filter((name) => !WAYS.some((way) => isThrough(way, name)))).toEqual([])
  })
})

describe('nobody dies', () => {
  it.each(WAYS.map((way) => [way.name, way] as const))(
    '%s: passes the fail points that it is there for',
    async (_name, way) => {
      expect(await usual.get(way)).toMatchObject({ missed: [] })
    },
    MATRIX_TIMEOUT_MS,
  )
})

describe('the worker dies', () => {
  it.each(DEATHS.map((death) => [death.side, death.name, death.way.name, death] as const))(
    '%s %s, in %s: it ends as if nobody had died',
    async (_side, _name, _way, death) => {
      const { ending } = (await usual.get(death.way)) ?? {}
      expect(await endings.get(death)).toEqual(ending)
    },
    MATRIX_TIMEOUT_MS,
  )
})

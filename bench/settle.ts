import { randomBytes } from 'node:crypto'

import { createSettlePayment } from '../src/activities/ledger-settle-payment.js'
import { Envelope } from '../src/db/envelope.js'
import { Database } from '../src/db/pool.js'
import { startLoop } from '../src/engine/loop.js'
import { SealingKey } from '../src/ledger/seal-key.js'
import { createSealer } from '../src/ledger/sealer.js'
import { createFloorSettle, makeFloor } from './settle/floor.js'
import { pgbenchFloor } from './settle/pgbench.js'
import { insertParties, prepareWaiting, type Waiting } from './settle/prepare.js'
import { startBenchDatabase, type DatabaseUrls } from './support/database.js'
import { median, runClosedLoop, type Measured } from './support/loop.js'

const CONNECTIONS = 32
const ROUNDS = 3
const WARM_UP_MS = 1_500
const MEASURE_MS = 5_000
/** More than any machine settles in the time of all rounds. */
const PER_SECOND_MOST = 3_500
const SEAL_EVERY_MS = 1_000

export interface SettleResult {
  readonly floor: readonly Measured[]
  /** The same without waiting in between. */
  readonly floorInOneGo: readonly Measured[]
  /** PostgreSQL's own load generator at the floor, where it is installed. */
  readonly pgbenchPerSecond: number | undefined
  readonly unsealed: readonly Measured[]
  readonly sealed: readonly Measured[]
  /** With every guard against without any, median of the rounds. */
  readonly guardRatio: number
  /** With the sealer at work against without. */
  readonly sealerRatio: number
}

/**
 * Settles payments at 32 connections with fsync on: as the activity does it, with the sealer and
 * without, against the same update and inserts on tables without a guard.
 */
export async function benchSettle(): Promise<SettleResult> {
  const server = await startBenchDatabase()
  try {
    return await measure(server)
  } finally {
    await server.stop()
  }
}

async function measure(urls: DatabaseUrls): Promise<SettleResult> {
  const owner = new Database({ url: urls.ownerUrl, connectionsMax: 1, applicationName: 'bench' })
  const worker = new Database({
    url: urls.workerUrl,
    connectionsMax: CONNECTIONS,
    applicationName: 'bench',
  })
  const sealing = new Database({ url: urls.workerUrl, connectionsMax: 2, applicationName: 'seal' })
  try {
    const parties = await insertParties(owner)
    const seconds = (2 * ROUNDS * (WARM_UP_MS + MEASURE_MS)) / 1_000
    const waiting = await prepareWaiting(owner, parties, PER_SECOND_MOST * seconds)
    await makeFloor(owner)
    const settle = createSettlePayment({
      database: worker,
      clock: { now: () => new Date() },
      envelope: new Envelope(randomBytes(32)),
      notifyBaseUrl: 'https://pay.example.com',
      openAccount: () => Promise.reject(new Error('Settling asks no channel.')),
    })
    const settled = (each: Waiting): Promise<unknown> => settle(each.paymentId)
    const measured = await rounds({
      floor: taking(waiting, createFloorSettle(worker, parties, { inOneGo: false })),
      floorInOneGo: taking(waiting, createFloorSettle(worker, parties, { inOneGo: true })),
      ours: taking(waiting, settled),
      seal: createSealer({
        database: sealing,
        key: new SealingKey(randomBytes(32)),
        clock: { now: () => new Date() },
      }),
    })
    return { ...measured, pgbenchPerSecond: await pgbenchFloor(urls.workerUrl, CONNECTIONS) }
  } finally {
    await Promise.all([owner.close(), worker.close(), sealing.close()])
  }
}

/** Takes the next of what waits each time. */
function taking(waiting: readonly Waiting[], settle: (each: Waiting) => Promise<unknown>) {
  let next = 0
  return async (): Promise<void> => {
    const each = waiting[next]
    next += 1
    if (each === undefined) throw new Error('Nothing waits any more: this machine is too fast.')
    await settle(each)
  }
}

interface Contestants {
  readonly floor: () => Promise<void>
  readonly floorInOneGo: () => Promise<void>
  readonly ours: () => Promise<void>
  readonly seal: () => Promise<number>
}

type Rounds = Omit<SettleResult, 'pgbenchPerSecond'>

async function rounds({ floor, floorInOneGo, ours, seal }: Contestants): Promise<Rounds> {
  const result: Record<'floor' | 'floorInOneGo' | 'unsealed' | 'sealed', Measured[]> = {
    floor: [],
    floorInOneGo: [],
    unsealed: [],
    sealed: [],
  }
  for (let round = 0; round < ROUNDS; round += 1) {
    result.floor.push(await run(floor))
    result.floorInOneGo.push(await run(floorInOneGo))
    result.unsealed.push(await run(ours))
    // What the round before has left would be this round's burden.
    await untilNothingWaits(seal)
    const tick = async (): Promise<void> => void (await seal())
    const onError = (error: unknown): void => void process.stderr.write(`${String(error)}\n`)
    const loop = startLoop({ everyMs: SEAL_EVERY_MS, tick, onError })
    result.sealed.push(await run(ours))
    await loop.stop()
    await untilNothingWaits(seal)
  }
  return {
    ...result,
    guardRatio: ratio(result.unsealed, result.floor),
    sealerRatio: ratio(result.sealed, result.unsealed),
  }
}

async function untilNothingWaits(seal: () => Promise<number>): Promise<void> {
  for (let sealed = 1; sealed > 0;) sealed = await seal()
}

const run = (flow: () => Promise<void>): Promise<Measured> =>
  runClosedLoop({ inFlight: CONNECTIONS, warmUpMs: WARM_UP_MS, measureMs: MEASURE_MS, flow })

const ratio = (ours: readonly Measured[], theirs: readonly Measured[]): number =>
  median(ours.map((each, round) => each.perSecond / (theirs[round]?.perSecond ?? Number.NaN)))

import { setTimeout as sleep } from 'node:timers/promises'

import { Client, Connection } from '@temporalio/client'

import { compareBooks } from '../books/compare.js'
import type { Offender } from '../books/offences.js'
import { offendersOf, type Verdict } from '../books/verdict.js'
import { only } from '../../db/pool.js'
import type { ChaosWorld } from '../world.js'
import type { Sabotage } from './sabotage.js'
import { Scene } from './scene.js'

/** What came of a planted bug. */
export interface Played {
  readonly verdict: Verdict
  /** The offender that had to be named; undefined when nobody was, or only others. */
  readonly found: Offender | undefined
}

const LOOK_EVERY_MS = 200
/** Quiet has to be seen so often in a row, since a last message may still be on its way. */
const SEEN_IN_A_ROW = 2

/**
 * Provokes a bug on a running system, waits until nothing is under way any more, or no longer than
 * it may, and looks whether the comparison names whom it has to.
 */
export async function playSabotage(
  world: ChaosWorld,
  bug: Pick<Sabotage, 'provoke' | 'offence'>,
  calmWithinMs: number,
): Promise<Played> {
  const { verdict, subjects } = await playScenes(world, [bug], calmWithinMs)
  const found = offendersOf(verdict).find(
    ({ kind, subject }) => kind === bug.offence && subjects.includes(subject),
  )
  return { verdict, found }
}

/**
 * Plays the scenes of bugs at once, and compares the books when all is calm.
 * @returns the verdict, and whom it has to name where the bugs are planted
 */
export async function playScenes(
  world: ChaosWorld,
  bugs: readonly Pick<Sabotage, 'provoke'>[],
  calmWithinMs: number,
): Promise<{ readonly verdict: Verdict; readonly subjects: readonly string[] }> {
  const scene = await Scene.open(world)
  try {
    const subjects = await Promise.all(bugs.map(({ provoke }) => provoke(scene)))
    await waitForCalm(scene, calmWithinMs)
    return { verdict: await compareBooks(world, await scene.driven()), subjects }
  } finally {
    await scene.close()
  }
}

const UNDER_WAY = {
  text: `select
    (select count(*) from payments where merchant_id = $1
      and state in ('created', 'awaiting_payment'))
    + (select count(*) from refunds where merchant_id = $1
      and state in ('pending', 'approved', 'refunding'))
    + (select count(*) from inbox where applied_at is null)
    + (select count(*) from refund_decisions where applied_at is null) as rows,
    (select count(*) from refunds where merchant_id = $1 and state = 'needs_attention') as resting`,
}

async function waitForCalm({ owner, world }: Scene, withinMs: number): Promise<void> {
  const { merchantId, temporalAddress: address, namespace } = world
  const connection = await Connection.connect({ address })
  const { workflow } = new Client({ connection, namespace })
  const running = `YuanluMerchant = '${merchantId}' and ExecutionStatus = 'Running'`
  const deadlineMs = Date.now() + withinMs
  try {
    for (let seen = 0; seen < SEEN_IN_A_ROW && Date.now() < deadlineMs;) {
      const [rows, { count }] = await Promise.all([
        owner.rows<{ rows: number; resting: number }>(UNDER_WAY, [merchantId]),
        workflow.count(running),
      ])
      const { rows: underWay, resting } = only(rows)
      // Where only a person can go on, the workflow goes on waiting for them.
      seen = underWay === 0 && count <= resting ? seen + 1 : 0
      await sleep(LOOK_EVERY_MS)
    }
  } finally {
    await connection.close()
  }
}

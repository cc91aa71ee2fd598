import { setTimeout as sleep } from 'node:timers/promises'

import { Client, Connection } from '@temporalio/client'

import { only, type Database } from '../db/pool.js'
import type { DrivenPortalRefund } from './driven.js'
import type { SentNotification } from './sandbox-desk.js'

const LOOK_EVERY_MS = 500
/** Quiet has to be seen so often in a row, since a last message may still be on its way. */
const SEEN_IN_A_ROW = 2

/** What is not over yet. */
export interface Unrest {
  readonly payments: number
  readonly refunds: number
  readonly facts: number
  readonly decisions: number
  readonly resolutions: number
  readonly workflows: number
  /** Refunds by hand that the channel has not told of yet; nobody else could. */
  readonly untold: number
}

const COUNT = {
  name: 'chaos_unrest',
  text: `select
    (select count(*) from payments where state in ('created', 'awaiting_payment')) as payments,
    (select count(*) from refunds where state in
      ('pending', 'approved', 'refunding', 'needs_attention')) as refunds,
    (select count(*) from inbox where applied_at is null) as facts,
    (select count(*) from refund_decisions where applied_at is null) as decisions,
    (select count(*) from refund_resolutions where applied_at is null) as resolutions`,
}

export interface QuietParts {
  readonly owner: Database
  readonly temporalAddress: string
  readonly namespace: string
  readonly taskQueue: string
  /**
   * What a person does meanwhile.
   * @returns how many refunds, each with its workflow, wait for longer than a drill
   */
  readonly attend: () => Promise<number>
  /** How many refunds by hand the channel has yet to tell of. */
  readonly untold: () => Promise<number>
  readonly onLook: (unrest: Unrest) => void
}

export const isQuiet = (unrest: Unrest): boolean =>
  Object.values(unrest).every((count) => count === 0)

/**
 * The refunds by hand that nobody here can know of yet: the channel tells of one when it is over,
 * and again until that is taken, or until it gives up.
 */
export const untoldOf = (
  portalRefunds: readonly DrivenPortalRefund[],
  notifications: readonly Pick<SentNotification, 'outRefundNo' | 'state'>[],
): readonly DrivenPortalRefund[] =>
  portalRefunds.filter(
    ({ outRefundNo }) =>
      !notifications.some((each) => each.outRefundNo === outRefundNo && each.state !== 'waiting'),
  )

/** Waits until nothing is under way, for as long as it is given; answers what then still is. */
export async function waitForQuiet(parts: QuietParts, timeoutMs: number): Promise<Unrest> {
  const connection = await Connection.connect({ address: parts.temporalAddress })
  const temporal = new Client({ connection, namespace: parts.namespace })
  const deadlineMs = Date.now() + timeoutMs
  let seen = 0
  try {
    for (;;) {
      const resting = await parts.attend()
      const untold = await parts.untold()
      const unrest = { ...(await look(parts, temporal, resting)), untold }
      parts.onLook(unrest)
      seen = isQuiet(unrest) ? seen + 1 : 0
      if (seen >= SEEN_IN_A_ROW || Date.now() > deadlineMs) return unrest
      await sleep(LOOK_EVERY_MS)
    }
  } finally {
    await connection.close()
  }
}

async function look(
  { owner, taskQueue }: QuietParts,
  temporal: Client,
  resting: number,
): Promise<Omit<Unrest, 'untold'>> {
  const query = `TaskQueue = "${taskQueue}" and ExecutionStatus = "Running"`
  const [rows, { count }] = await Promise.all([
    owner.rows<Omit<Unrest, 'workflows' | 'untold'>>(COUNT, []),
    temporal.workflow.count(query),
  ])
  const { refunds, ...others } = only(rows)
  return { ...others, refunds: refunds - resting, workflows: count - resting }
}

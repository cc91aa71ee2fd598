import type { InjectedSinks } from '@temporalio/worker'
import { pino } from 'pino'

import { watchFailPoints, type FailPointSide } from '../../../src/domain/fail-points.js'
import { startWorker, type WorkerSettings } from '../../../src/worker.js'
import type { FailPointSinks } from './interceptors.js'
import { SABOTAGES, type SabotageName } from './sabotage.js'

/** Where the process is to end: before or after an effect, when it first comes there. */
export interface Deathbed {
  readonly name: string
  readonly side: FailPointSide
}

/** What a worker of the matrix is told. */
export type Order =
  | {
      readonly start: Omit<WorkerSettings, 'logger' | 'masterKey' | 'ledgerKey'>
      readonly masterKey: string
      readonly sabotage?: SabotageName | undefined
    }
  | { readonly dieAt: Deathbed | null }

/** What it tells: that it works, that it knows where to die, and what it passed until then. */
export type Report = 'running' | 'armed' | { readonly passed: string }

let dieAt: Deathbed | null = null

function pass(name: string, side: FailPointSide): void {
  if (dieAt?.name === name && dieAt.side === side) process.kill(process.pid, 'SIGKILL')
  if (side === 'after') report({ passed: name })
}

function report(said: Report): void {
  process.send?.(said)
}

async function obey(order: Order): Promise<void> {
  if ('dieAt' in order) {
    dieAt = order.dieAt
    return report('armed')
  }
  const sinks: InjectedSinks<FailPointSinks> = {
    failPoints: { pass: { fn: (_info, name, side) => pass(name, side), callDuringReplay: false } },
  }
  const settings = {
    ...order.start,
    masterKey: Buffer.from(order.masterKey, 'base64'),
    logger: pino({ level: 'error' }, pino.destination(2)),
  }
  const bug = order.sabotage === undefined ? {} : SABOTAGES[order.sabotage]
  await startWorker(settings, { ...bug, sinks })
  report('running')
}

watchFailPoints(pass)
// Whoever started it is gone: nobody would ever stop it.
process.on('disconnect', () => process.exit())
process.on('message', (order: Order) => void obey(order))

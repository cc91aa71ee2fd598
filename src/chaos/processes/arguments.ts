import { parseArgs } from 'node:util'

import type { Sabotage } from '../sabotage/sabotage.js'
import { createShiftedClock, type ShiftedClock } from './shifted-clock.js'

/** What a process of a drill is told by its command line, beside what its command takes. */
export interface ProcessArguments {
  readonly json: string
  readonly workflowBundle: string | undefined
  readonly clock: ShiftedClock
  readonly sabotage: Sabotage | undefined
}

/** @throws Error when a sabotage is asked for that does not exist */
export async function readArguments(): Promise<ProcessArguments> {
  const { values } = parseArgs({
    options: {
      json: { type: 'string' },
      clock: { type: 'string' },
      'workflow-bundle': { type: 'string' },
      sabotage: { type: 'string' },
    },
  })
  const { json, clock, sabotage } = values
  if (json === undefined || clock === undefined) throw new Error('--json and --clock are needed.')
  return {
    json,
    workflowBundle: values['workflow-bundle'],
    clock: createShiftedClock(clock),
    sabotage: sabotage === undefined ? undefined : await findSabotage(sabotage),
  }
}

async function findSabotage(name: string): Promise<Sabotage> {
  const { sabotages } = await import('../sabotage/catalogue.js')
  const found = Object.hasOwn(sabotages, name) ? sabotages[name] : undefined
  if (found === undefined) throw new Error(`There is no sabotage "${name}".`)
  return found
}

import { readFileSync } from 'node:fs'

import { lastLines } from './log-tail.js'
import type { Place } from './place.js'
import type { Screen } from './screen.js'
import { RESTARTS_MAX, type Death } from './supervisor.js'
import type { System } from './system.js'
import type { Texts } from './texts.js'
import { columnsOf, padEnd } from './width.js'

/** Where everything can be looked at. */
export function printAddresses(screen: Screen, texts: Texts, system: System, place: Place): void {
  const { addresses } = texts
  const { api, temporalUi, workerMetrics } = system.ports
  const rows: readonly (readonly [string, string])[] = [
    [addresses.api, `http://127.0.0.1:${api}/docs`],
    [addresses.temporalUi, `http://127.0.0.1:${temporalUi}`],
    [addresses.cashier, `${system.cashierUrl}/{prepay_id}`],
    [addresses.portal, system.portalUrl],
    [addresses.metrics, `http://127.0.0.1:${api}/metrics`],
    ['', `http://127.0.0.1:${workerMetrics}/metrics`],
    [addresses.data, place.dataDir],
  ]
  const width = Math.max(...rows.map(([label]) => columnsOf(label)))
  screen.print('', ...rows.map(([label, address]) => `  ${padEnd(label, width)}   ${address}`))
}

/** Tells that a process ended by itself, with what it said last. */
export function printDeath(screen: Screen, texts: Texts, { service, how, restart }: Death): void {
  const sentence =
    restart === undefined
      ? texts.life.gaveUp(how)
      : texts.life.restarted(how, restart, RESTARTS_MAX)
  const tail = lastLines(readLog(service.logFile)).map((line) => `  | ${line}`)
  const logEnd = texts.life.logEnd(service.logFile)
  screen.print('', `  ${screen.red(sentence)}`, `  ${logEnd}`, ...tail, '')
}

function readLog(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

/** Seconds with one decimal. */
export function formatSeconds(ms: number): string {
  const tenths = Math.round(ms / 100)
  return `${Math.floor(tenths / 10)}.${tenths % 10}`
}

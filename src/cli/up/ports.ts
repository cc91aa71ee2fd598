import { writeFile } from 'node:fs/promises'
import path from 'node:path'

import { isPortFree } from '../local/free-port.js'
import { readIfThere } from './stored-secret.js'

/** Where each process of the running system listens, on the loopback address. */
export interface Ports {
  readonly api: number
  readonly temporal: number
  readonly temporalUi: number
  readonly sandbox: number
  readonly cashier: number
  readonly postgres: number
  readonly workerMetrics: number
}

const FIRST_CHOICE: Ports = {
  api: 8080,
  temporal: 7233,
  temporalUi: 8233,
  sandbox: 8443,
  cashier: 8090,
  postgres: 5433,
  workerMetrics: 9464,
}
const ATTEMPTS_MAX = 200

/**
 * Chooses a port for each process: the one of the last start when it is free, since addresses of
 * then are stored in open orders, or else the first free one from the usual number upwards.
 *
 * @throws Error when there is no free port.
 */
export async function choosePorts(dataDir: string): Promise<Ports> {
  const file = path.join(dataDir, 'ports.json')
  const stored = parsePorts(await readIfThere(file))
  const taken = new Set<number>()
  const chosen: Record<string, number> = {}
  for (const [name, firstChoice] of Object.entries(FIRST_CHOICE) as [keyof Ports, number][]) {
    const before = stored[name]
    const port =
      before !== undefined && !taken.has(before) && (await isPortFree(before))
        ? before
        : await findPort(firstChoice, taken)
    taken.add(port)
    chosen[name] = port
  }
  const ports: Ports = { ...FIRST_CHOICE, ...chosen }
  await writeFile(file, `${JSON.stringify(ports, undefined, 2)}\n`)
  return ports
}

async function findPort(firstChoice: number, taken: ReadonlySet<number>): Promise<number> {
  for (let port = firstChoice; port < firstChoice + ATTEMPTS_MAX; port += 1) {
    if (!taken.has(port) && (await isPortFree(port))) return port
  }
  throw new Error(`No free port between ${firstChoice} and ${firstChoice + ATTEMPTS_MAX - 1}.`)
}

/** A file that somebody has spoiled counts as none. */
function parsePorts(text: string | undefined): Partial<Ports> {
  try {
    const value: unknown = JSON.parse(text ?? '{}')
    const isPort = (port: unknown): boolean =>
      typeof port === 'number' && Number.isInteger(port) && port > 0 && port <= 65_535
    const entries = typeof value === 'object' && value !== null ? Object.entries(value) : []
    return Object.fromEntries(entries.filter(([, port]) => isPort(port)))
  } catch {
    return {}
  }
}

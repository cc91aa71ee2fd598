import { sqlState } from './transaction.js'

const NETWORK_CODES: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
])
/**
 * Connection exceptions, a server that shuts down or starts, too many connections, and rows that
 * somebody held for too long.
 */
const AWAY_STATES = /^(08...|57P0[123]|53300|55P03|25P03)$/
const DRIVER_MESSAGES =
  /^(Connection terminated|timeout exceeded when trying to connect|timeout expired)/

/** True when an error says that the database cannot serve now, rather than that it refused. */
export function isDatabaseAway(error: unknown): boolean {
  const state = sqlState(error)
  if (state !== undefined) return NETWORK_CODES.has(state) || AWAY_STATES.test(state)
  return error instanceof Error && DRIVER_MESSAGES.test(error.message)
}

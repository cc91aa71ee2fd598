import { pino, type DestinationStream, type Logger } from 'pino'

/** Fields that are never written, wherever they should turn up. */
const REDACTED = ['authorization', 'cookie', 'openid', 'apiV2Key', 'paySign', 'sign', 'body']

/** The log of one process: JSON lines, without bodies, keys and people. */
export function createLogger(
  level: string,
  component: string,
  destination?: DestinationStream,
): Logger {
  const options = {
    level,
    base: { component },
    redact: {
      paths: REDACTED.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]),
      censor: '***',
    },
    // Temporal's worker tells of what an activity failed with by another name than ours.
    serializers: { err: errorFacts, error: errorFacts, req: () => undefined, res: () => undefined },
  }
  return destination === undefined ? pino(options) : pino(options, destination)
}

/**
 * What is written of an error: a database error also knows the values of the row it refused, and a
 * failed call its arguments, so only named members pass.
 */
function errorFacts(error: unknown): object {
  if (!(error instanceof Error)) return { type: typeof error }
  const facts = error as Error & { readonly code?: unknown; readonly constraint?: unknown }
  return {
    type: error.name,
    message: error.message,
    ...(facts.code === undefined ? {} : { code: facts.code }),
    ...(facts.constraint === undefined ? {} : { constraint: facts.constraint }),
    stack: error.stack,
    ...(error.cause === undefined ? {} : { cause: errorFacts(error.cause) }),
  }
}

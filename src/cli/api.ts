import { writeFileSync } from 'node:fs'

import type { Command } from 'commander'

import type { ApiMakers } from '../api/main.js'

export interface ApiOptions {
  readonly json?: string
}

const STANDARD_ERROR = 2

/** `yuanlu api`: serves the HTTP API until it is interrupted. */
export function registerApiCommand(program: Command): void {
  program
    .command('api')
    .description('serve the HTTP API until it is interrupted')
    .option('--json <file>', 'write one line of JSON when ready; - is standard output')
    .action((options: ApiOptions) => runApi(options))
}

/** Serves the API until it is interrupted, as the command says; drills make parts of it others. */
export async function runApi(options: ApiOptions, makers: Partial<ApiMakers> = {}): Promise<void> {
  const [{ apiConfig }, { startApi }, { createLogger }, { pino }] = await Promise.all([
    import('../config.js'),
    import('../api/main.js'),
    import('../api/logger.js'),
    import('pino'),
  ])
  const config = apiConfig()
  const interrupted = interruption()
  // Whoever wants to be told by standard output gets nothing else there.
  const destination = options.json === '-' ? pino.destination(STANDARD_ERROR) : undefined
  const logger = createLogger(config.logLevel, 'api', destination)
  const api = await startApi(config, { logger, makers })
  announce(options.json, api.url)
  await interrupted
  await api.stop()
}

function announce(jsonTarget: string | undefined, url: string): void {
  const line = `${JSON.stringify({ event: 'ready', url, pid: process.pid })}\n`
  if (jsonTarget === '-') process.stdout.write(line)
  else if (jsonTarget !== undefined) writeFileSync(jsonTarget, line)
}

function interruption(): Promise<void> {
  return new Promise((resolve) => {
    process.once('SIGINT', () => resolve())
    process.once('SIGTERM', () => resolve())
  })
}

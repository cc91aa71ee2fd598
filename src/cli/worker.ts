import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { setFlagsFromString } from 'node:v8'

import type { Command } from 'commander'

import type { WorkerConfig } from '../config.js'
import type { WorkerMakers, WorkerSettings } from '../worker.js'

export interface WorkerOptions {
  readonly workflowBundle?: string
  readonly json?: string
}

/** An image carries the workflows bundled; a clone has no such file and bundles its sources. */
const BUILT_BUNDLE = fileURLToPath(new URL('../../workflow-bundle.js', import.meta.url))
const STANDARD_ERROR = 2

/**
 * How much the living part of a heap may grow before V8 looks for the dead part. Left alone on a
 * machine with much memory it waits until a heap is several times what lives in it, and a worker
 * has two: its own, and that of its workflows.
 */
const HEAP_GROWING_PERCENT = 30

/** `yuanlu worker`: runs workflows and activities until it is interrupted. */
export function registerWorkerCommand(program: Command): void {
  program
    .command('worker')
    .description('run workflows and activities until it is interrupted')
    .option('--workflow-bundle <file>', 'use workflows bundled before')
    .option('--json <file>', 'write one line of JSON when ready; - is standard output')
    .action((options: WorkerOptions) => runWorker(options))
}

/** Runs a worker until it is interrupted, as the command says; drills make parts of it others. */
export async function runWorker(
  options: WorkerOptions,
  makers: Partial<WorkerMakers> = {},
): Promise<void> {
  const [{ workerConfig }, { startWorker }, { createLogger }, { pino }] = await Promise.all([
    import('../config.js'),
    import('../worker.js'),
    import('../api/logger.js'),
    import('pino'),
  ])
  const config = workerConfig()
  setFlagsFromString(`--heap-growing-percent=${HEAP_GROWING_PERCENT}`)
  // Whoever wants to be told by standard output gets nothing else there.
  const destination = options.json === '-' ? pino.destination(STANDARD_ERROR) : undefined
  const logger = createLogger(config.logLevel, 'worker', destination)
  const bundle = options.workflowBundle ?? (existsSync(BUILT_BUNDLE) ? BUILT_BUNDLE : undefined)
  const settings = { ...settingsOf(config), logger }
  const worker = await startWorker(
    bundle === undefined ? settings : { ...settings, workflowBundlePath: bundle },
    makers,
  )
  const { taskQueue } = config.temporal
  announce(options.json, { taskQueue, metricsPort: worker.metricsPort ?? null })
  await interruption()
  await worker.stop()
}

function settingsOf(config: WorkerConfig): Omit<WorkerSettings, 'logger'> {
  const { temporal, sandbox, metricsPort, ledgerKey } = config
  return {
    databaseUrl: config.databaseUrl.reveal(),
    masterKey: config.masterKey.reveal(),
    temporalAddress: temporal.address,
    temporalNamespace: temporal.namespace,
    taskQueue: temporal.taskQueue,
    publicBaseUrl: config.publicBaseUrl,
    liveBaseUrl: config.wechatBaseUrl,
    liveRoute: routeOf(config.wechatRoute),
    channelTimeouts: config.wechatTimeouts,
    webhookAllowedHosts: config.webhookAllowedHosts,
    ...(ledgerKey === undefined ? {} : { ledgerKey: ledgerKey.reveal() }),
    ...(sandbox === undefined ? {} : { sandbox: sandboxOf(sandbox) }),
    ...(metricsPort === undefined ? {} : { metrics: { host: config.host, port: metricsPort } }),
  }
}

function routeOf({ backupUrl, proxyUrl }: WorkerConfig['wechatRoute']) {
  return {
    ...(backupUrl === undefined ? {} : { backupUrl }),
    ...(proxyUrl === undefined ? {} : { proxyUrl: proxyUrl.reveal() }),
  }
}

function sandboxOf({ baseUrl, caPath }: NonNullable<WorkerConfig['sandbox']>) {
  return caPath === undefined ? { baseUrl } : { baseUrl, caPem: readFileSync(caPath, 'utf8') }
}

function announce(jsonTarget: string | undefined, facts: object): void {
  const line = `${JSON.stringify({ event: 'ready', ...facts, pid: process.pid })}\n`
  if (jsonTarget === '-') process.stdout.write(line)
  else if (jsonTarget !== undefined) writeFileSync(jsonTarget, line)
}

function interruption(): Promise<void> {
  return new Promise((resolve) => {
    process.once('SIGINT', () => resolve())
    process.once('SIGTERM', () => resolve())
  })
}

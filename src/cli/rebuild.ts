import { writeFileSync } from 'node:fs'

import type { Command } from 'commander'

import type { Rebuilt } from '../engine/rebuild.js'

interface RebuildCommandOptions {
  readonly dryRun?: boolean
  readonly rate: string
  readonly json?: string
}

const EXIT_NO = 1
const RATE = /^[1-9]\d{0,3}$/
const RATE_USUAL = '200'
const REACHABLE_TIMEOUT_MS = 5_000
const CONNECTIONS_MAX = 2
/** So many are printed; the JSON holds all. */
const PRINTED_MAX = 20

/** `yuanlu rebuild`: ends with 0 when every open row has its workflow and every workflow a row. */
export function registerRebuildCommand(program: Command): void {
  program
    .command('rebuild')
    .description('start every workflow that is missing from its row, after Temporal was lost')
    .option('--dry-run', 'only say what would be started')
    .option('--rate <n>', 'rows a second that Temporal is asked about, 1 to 9999', RATE_USUAL)
    .option('--json <file>', 'write what was done as JSON to a file; - is standard output')
    .action(run)
}

async function run(options: RebuildCommandOptions, command: Command): Promise<void> {
  if (!RATE.test(options.rate)) {
    command.error('A rate is a whole number from 1 to 9999.', {
      exitCode: 2,
      code: 'yuanlu.wrongUse',
    })
  }
  const rebuilt = await connectAndRebuild(options)
  const json = `${JSON.stringify(rebuilt)}\n`
  if (options.json === '-') process.stdout.write(json)
  else process.stdout.write(`${report(rebuilt).join('\n')}\n`)
  if (options.json !== undefined && options.json !== '-') writeFileSync(options.json, json)
  if (rebuilt.failed.length + rebuilt.withoutRow.length > 0) process.exitCode = EXIT_NO
}

async function connectAndRebuild({ dryRun, rate }: RebuildCommandOptions): Promise<Rebuilt> {
  const [{ rebuildConfig }, { Database }, { connectEngine }, { Engine }, { rebuild }, temporalio] =
    await Promise.all([
      import('../config.js'),
      import('../db/pool.js'),
      import('../engine/connection.js'),
      import('../engine/client.js'),
      import('../engine/rebuild.js'),
      import('@temporalio/client'),
    ])
  const { createProgressBar } = await import('./progress-bar.js')
  const { databaseUrl, temporal } = rebuildConfig()
  const frontend = connectEngine(temporal.address)
  const database = new Database({
    url: databaseUrl.reveal(),
    connectionsMax: CONNECTIONS_MAX,
    applicationName: 'yuanlu-rebuild',
  })
  try {
    if (!(await frontend.isReachable(REACHABLE_TIMEOUT_MS))) {
      throw new Error(`Temporal does not answer at ${temporal.address}.`)
    }
    const { connection } = frontend
    const client = new temporalio.Client({ connection, namespace: temporal.namespace })
    return await rebuild(
      { database, engine: new Engine(client, temporal.taskQueue) },
      {
        isDryRun: dryRun === true,
        perSecond: Number(rate),
        onProgress: createProgressBar('Rebuilding'),
      },
    )
  } finally {
    await frontend.close()
    await database.close()
  }
}

function report({ isDryRun, payments, refunds, failed, withoutRow }: Rebuilt): string[] {
  const running = payments.running + refunds.running
  const started = payments.started + refunds.started
  const lines = [
    `Payments not over: ${payments.running + payments.started}, ` +
      `refunds not over: ${refunds.running + refunds.started}.`,
    `Their workflows that run: ${running}. ${isDryRun ? 'Would start' : 'Started'}: ${started}.`,
  ]
  const names = failed.map(({ workflowId, why }) => `${workflowId} could not be started: ${why}`)
  names.push(...withoutRow.map((id) => `${id} runs and has no row.`))
  lines.push(...names.slice(0, PRINTED_MAX))
  if (names.length > PRINTED_MAX) lines.push(`… and ${names.length - PRINTED_MAX} more.`)
  if (withoutRow.length > 0) lines.push(OF_AN_EARLIER_MOMENT)
  if (started === 0 && names.length === 0) lines.push('Nothing was missing; nothing was changed.')
  return lines
}

const OF_AN_EARLIER_MOMENT =
  'The database knows nothing of these workflows, so it is of an earlier moment than Temporal. ' +
  'They were left as they are.'

import { writeFileSync } from 'node:fs'

import { InvalidArgumentError } from 'commander'
import type { Command } from 'commander'

import type { Sandbox, SandboxOptions } from '../sandbox/main.js'

interface CommandOptions {
  readonly port: number
  readonly host: string
  readonly name: readonly string[]
  readonly data?: string
  readonly rate: number
  readonly refundDelay: number
  readonly cashierPort?: number
  readonly lan?: true
  readonly strict?: true
  readonly json?: string
}

/** `yuanlu sandbox`: a WeChat Pay of its own, until it is interrupted. */
export function registerSandboxCommand(program: Command): void {
  program
    .command('sandbox')
    .description('run the WeChat Pay sandbox until it is interrupted')
    .option('--port <port>', 'HTTPS port, 0 for any free one', readPort, 0)
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--name <name>', 'one more name for the certificate, repeatable', addName, [])
    .option('--data <folder>', 'keep authority and book here; without it nothing is kept')
    .option('--rate <rate>', "how many times as fast as the machine's clock", readRate, 1)
    .option('--refund-delay <ms>', 'how long a refund takes on its clock', readWhole, 60_000)
    .option('--cashier-port <port>', 'serve cashier page and portal in plain HTTP here', readPort)
    .option('--lan', 'serve the cashier page, nothing else, to the local network')
    .option('--strict', 'refuse what WeChat Pay refuses, such as http addresses')
    .option('--json <file>', 'write one line of JSON when ready; - is standard output')
    .action(run)
}

async function run(options: CommandOptions): Promise<void> {
  const { startSandbox } = await import('../sandbox/main.js')
  const sandbox = await startSandbox(sandboxOptions(options))
  announce(sandbox, options.json)
  await interruption()
  await sandbox.stop()
}

function sandboxOptions(options: CommandOptions): SandboxOptions {
  return {
    port: options.port,
    host: options.host,
    hostNames: options.name,
    rate: options.rate,
    refundDelayMs: options.refundDelay,
    lan: options.lan ?? false,
    strict: options.strict ?? false,
    ...(options.data === undefined ? {} : { dataDir: options.data }),
    ...(options.cashierPort === undefined ? {} : { cashierPort: options.cashierPort }),
  }
}

function announce(sandbox: Sandbox, jsonTarget: string | undefined): void {
  const { url, httpUrl, caPath } = sandbox
  const line = `${JSON.stringify({ event: 'ready', url, httpUrl, caPath, pid: process.pid })}\n`
  if (jsonTarget === '-') {
    process.stdout.write(line)
    return
  }
  if (jsonTarget !== undefined) writeFileSync(jsonTarget, line)
  process.stdout.write(`Sandbox     ${url}\nAuthority   ${caPath}\n`)
  if (httpUrl !== undefined) process.stdout.write(`Cashier     ${httpUrl}/cashier/{prepay_id}\n`)
  process.stdout.write(`Portal      ${url}/portal\n`)
}

function interruption(): Promise<void> {
  return new Promise((resolve) => {
    process.once('SIGINT', () => resolve())
    process.once('SIGTERM', () => resolve())
  })
}

function addName(name: string, names: readonly string[]): readonly string[] {
  return [...names, name]
}

function readPort(text: string): number {
  const port = readWhole(text)
  if (port > 65_535) throw new InvalidArgumentError('must be a port, 0 to 65535.')
  return port
}

function readWhole(text: string): number {
  if (!/^\d{1,10}$/.test(text)) throw new InvalidArgumentError('must be a whole number.')
  return Number(text)
}

function readRate(text: string): number {
  const isValid = /^\d{1,6}(\.\d{1,6})?$/.test(text) && Number(text) > 0 && Number(text) <= 100_000
  if (!isValid) throw new InvalidArgumentError('must be a number above 0 and at most 100000.')
  return Number(text)
}

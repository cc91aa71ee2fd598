import { Command, CommanderError } from 'commander'

import { registerApiCommand } from './api.js'
import { registerChaosCommand } from './chaos.js'
import { registerDoctorCommand } from './doctor.js'
import { registerEraseCommand } from './erase.js'
import { registerKeyCommand } from './key.js'
import { registerLedgerCommand } from './ledger.js'
import { registerMerchantCommand } from './merchant.js'
import { registerMigrateCommand } from './migrate.js'
import { registerRebuildCommand } from './rebuild.js'
import { registerSandboxCommand } from './sandbox.js'
import { registerSeedCommand } from './seed.js'
import { registerUpCommand } from './up.js'
import { registerWechatCommand } from './wechat.js'
import { registerWorkerCommand } from './worker.js'

const EXIT_NO = 1
const EXIT_WRONG_USE = 2

/** Every command registers itself and loads what it needs only when it is run. */
function buildProgram(): Command {
  const program = new Command('yuanlu')
    .description('A payment and refund engine for WeChat Pay.')
    .showHelpAfterError('Run it with --help to see what it takes.')
    .exitOverride()
  registerUpCommand(program)
  registerApiCommand(program)
  registerWorkerCommand(program)
  registerSandboxCommand(program)
  registerMigrateCommand(program)
  registerDoctorCommand(program)
  registerRebuildCommand(program)
  registerMerchantCommand(program)
  registerKeyCommand(program)
  registerLedgerCommand(program)
  registerEraseCommand(program)
  registerSeedCommand(program)
  registerChaosCommand(program)
  registerWechatCommand(program)
  return program
}

try {
  await buildProgram().parseAsync()
} catch (error) {
  process.exitCode = explain(error)
}

/** One sentence on standard error; commander has printed its own already. */
function explain(error: unknown): number {
  if (error instanceof CommanderError) return commanderStatus(error)
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  // The class itself is not asked for, since loading it would load the configuration's schemas.
  return error instanceof Error && error.name === 'ConfigError' ? EXIT_WRONG_USE : EXIT_NO
}

/** Commander ends wrong use with 1, which is the answer "no" here. */
function commanderStatus(error: CommanderError): number {
  return error.code.startsWith('commander.') && error.exitCode !== 0
    ? EXIT_WRONG_USE
    : error.exitCode
}

import type { Command } from 'commander'

interface DoctorOptions {
  readonly json?: string
}

/** `yuanlu doctor`: whether this machine can run Yuanlu, or what is to be done first. */
export function registerDoctorCommand(program: Command): void {
  program
    .command('doctor')
    .description('look at clock, addresses, database and Temporal: each fine, or what to do')
    .option('--json <file>', 'write what was found as JSON to a file; - is standard output')
    .action(runDoctor)
}

async function runDoctor(options: DoctorOptions): Promise<void> {
  const [{ doctorConfig }, { examine, thisMachine }, { tell }] = await Promise.all([
    import('./doctor/config.js'),
    import('./doctor/examine.js'),
    import('./doctor/tell.js'),
  ])
  const config = doctorConfig()
  process.exitCode = tell(await examine(config, thisMachine), config.language, options.json)
}

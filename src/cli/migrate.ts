import type { Command } from 'commander'

/** `yuanlu migrate`: brings the schema up to date and says which migrations it ran. */
export function registerMigrateCommand(program: Command): void {
  program
    .command('migrate')
    .description('create or update the schema as its owner, and the roles of API and worker')
    .action(runMigrate)
}

async function runMigrate(): Promise<void> {
  const [{ ownerConfig }, { migrate }] = await Promise.all([
    import('../config.js'),
    import('../db/migrate.js'),
  ])
  const { ownerUrl, apiUrl, workerUrl } = ownerConfig()
  const { applied } = await migrate({
    ownerUrl: ownerUrl.reveal(),
    ...(apiUrl === undefined ? {} : { apiUrl: apiUrl.reveal() }),
    ...(workerUrl === undefined ? {} : { workerUrl: workerUrl.reveal() }),
  })
  const lines = applied.length === 0 ? ['The schema is up to date.'] : applied.map(ranLine)
  process.stdout.write(`${lines.join('\n')}\n`)
}

function ranLine(name: string): string {
  return `Ran ${name}`
}

import type { Command } from 'commander'

/** `yuanlu ledger`: takes the book out, and checks it wherever it is. */
export function registerLedgerCommand(program: Command): void {
  const ledger = program.command('ledger').description('the book: export it, check it')
  ledger
    .command('verify')
    .description('check every row, seal and signature of the book in the database, or of a dump')
    .argument('[dump]', 'an export of ours or a plain one of pg_dump; else the database')
    .option('--head <hash>', 'the hash of a seal that was kept elsewhere: the book must hold it')
    .option('--public-key <file>', 'trust these keys (PEM) and not those in the book itself')
    .option('--json <file>', 'write the verdict as JSON to a file; - is standard output')
    .action(async (dump: string | undefined, options: object, command: Command) => {
      const { runVerify } = await import('./ledger-verify.js')
      await runVerify(dump, options, command)
    })
  ledger
    .command('export')
    .description('write what a check needs into a file, as the book is at one moment')
    .argument('<file>', 'where to; it must not be there yet')
    .option('--json <file>', 'write what was done as JSON to a file; - is standard output')
    .action(async (file: string, options: object, command: Command) => {
      const { runExport } = await import('./ledger-export.js')
      await runExport(file, options, command)
    })
  ledger
    .command('public-key')
    .description('print the public half of YUANLU_LEDGER_KEY (PEM), for those who check')
    .action(async () => {
      const { runPublicKey } = await import('./ledger-export.js')
      runPublicKey()
    })
}

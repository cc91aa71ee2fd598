import type { Command } from 'commander'

/** What the command line of `yuanlu up` says. */
export interface UpOptions {
  readonly data?: string
  readonly demo?: true
  readonly exit?: true
  readonly json?: string
  readonly lan?: true
}

/** `yuanlu up` (`npm start`): all processes on this machine, and a demo of a payment and refund. */
export function registerUpCommand(program: Command): void {
  program
    .command('up')
    .description('run everything on this machine and play a payment and its way back')
    .option('--demo', 'play the demo also when the book is not empty')
    .option('--exit', 'play the demo, ask nothing, and stop')
    .option('--json <file>', 'write the steps of the demo as lines of JSON; - is standard output')
    .option('--lan', 'let phones in the local network reach the cashier page, and nothing else')
    .option('--data <folder>', 'keep all data here instead of .yuanlu in the clone')
    .action(async (options: UpOptions) => {
      const { runUp } = await import('./up/run.js')
      process.exitCode = await runUp(options)
    })
}

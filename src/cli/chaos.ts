import { existsSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'

import { InvalidArgumentError, type Command } from 'commander'

import type { Plan } from '../chaos/plan.js'

interface ChaosCommandOptions {
  readonly payments: number
  readonly seed: number
  readonly profile: string
  readonly sabotage?: string
  readonly keep?: string
  readonly json?: string
}

const PAYMENTS = 60

/** `yuanlu chaos`: drives a system of its own, tries to break it, and prints a verdict. */
export function registerChaosCommand(program: Command): void {
  program
    .command('chaos')
    .description('start a system of its own, try to break it, and compare its books')
    .option('--payments <n>', 'how many orders are driven', wholeNumber, PAYMENTS)
    .option('--seed <n>', 'the same number gives the same plan', wholeNumber, 1)
    .option('--profile <name>', 'what happens to it', 'storm')
    .option('--sabotage <name>', 'plant a known bug instead, which has to be found')
    .option('--keep <folder>', 'keep data and logs in this new folder', newFolder)
    .option('--json <file>', 'write what it came to as JSON; - is standard output', jsonTarget)
    .action(runChaos)
}

function wholeNumber(text: string): number {
  if (/^\d{1,12}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('It must be a whole number of at most 12 digits.')
}

function newFolder(text: string): string {
  const folder = path.resolve(text)
  if (!existsSync(folder) && existsSync(path.dirname(folder))) return folder
  throw new InvalidArgumentError('It must be a new folder in one that is there.')
}

/** A drill takes minutes, so whether its answer can be written is asked before it. */
function jsonTarget(text: string): string {
  if (text === '-') return text
  const file = path.resolve(text)
  if (!existsSync(path.dirname(file))) {
    throw new InvalidArgumentError('The folder for it is not there.')
  }
  if (!statSync(file, { throwIfNoEntry: false })?.isDirectory()) return text
  throw new InvalidArgumentError('It is a folder, and must be a file.')
}

async function runChaos(options: ChaosCommandOptions, command: Command): Promise<void> {
  const { keep, sabotage } = options
  const where = keep === undefined ? {} : { keep }
  if (sabotage !== undefined) return sabotageAndTell(sabotage, where, options.json, command)
  const plan = await planOf(options, command)
  const { runPlan } = await import('../chaos/run.js')
  const { jsonOf, linesOf, statusOf } = await import('../chaos/report.js')
  const result = await runPlan(plan, where)
  process.exitCode = statusOf(result)
  write(options.json, jsonOf(result), linesOf(result))
}

async function planOf(
  { payments, seed, profile }: ChaosCommandOptions,
  command: Command,
): Promise<Plan> {
  const { makePlan, PlanError } = await import('../chaos/plan.js')
  const { isProfileName, PROFILES } = await import('../chaos/profiles.js')
  if (!isProfileName(profile)) {
    const known = Object.keys(PROFILES).join(', ')
    return wrongUse(command, `There is no profile "${profile}"; there are ${known}.`)
  }
  try {
    return makePlan({ payments, seed, profile })
  } catch (error) {
    if (error instanceof PlanError) return wrongUse(command, error.message)
    throw error
  }
}

/**
 * A bug that is found is an answer of no, as it is for any other run. One that is not found, or
 * that could not be played, ends with a status of its own.
 */
async function sabotageAndTell(
  name: string,
  where: { readonly keep?: string },
  json: string | undefined,
  command: Command,
): Promise<void> {
  const { sabotages } = await import('../chaos/sabotage/catalogue.js')
  const bug = Object.hasOwn(sabotages, name) ? sabotages[name] : undefined
  if (bug === undefined) {
    const known = Object.keys(sabotages).join(', ')
    return wrongUse(command, `There is no sabotage "${name}"; there are ${known}.`)
  }
  const { runSabotage } = await import('../chaos/run.js')
  const { jsonOfSabotage, linesOfSabotage, STATUS, statusOfSabotage } =
    await import('../chaos/report.js')
  const played = await runSabotage({ name, bug }, where).catch((error: unknown) => {
    const why = error instanceof Error ? error.message : String(error)
    const exitCode = STATUS.sabotageMissed
    return command.error(`It could not be played: ${why}`, { exitCode, code: 'yuanlu.notPlayed' })
  })
  process.exitCode = statusOfSabotage(played)
  write(json, jsonOfSabotage(name, bug, played), linesOfSabotage(name, bug, played))
}

function wrongUse(command: Command, sentence: string): never {
  return command.error(sentence, { exitCode: 2, code: 'yuanlu.wrongUse' })
}

function write(target: string | undefined, answer: object, lines: readonly string[]): void {
  const json = `${JSON.stringify(answer)}\n`
  if (target !== undefined && target !== '-') writeFileSync(target, json)
  process.stdout.write(target === '-' ? json : `${lines.join('\n')}\n`)
}

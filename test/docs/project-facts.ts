import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'

import { cloneRoot } from '../../src/cli/local/clone.js'

/** What documents and deployment files are held against. */

const run = promisify(execFile)

export const read = (file: string): string => readFileSync(path.join(cloneRoot, file), 'utf8')

/** Every Markdown file that is ours, relative to the clone. */
export function markdownFiles(folder = ''): string[] {
  return readdirSync(path.join(cloneRoot, folder), { withFileTypes: true }).flatMap((entry) => {
    const file = path.posix.join(folder, entry.name)
    if (entry.isDirectory()) {
      const isOurs = entry.name !== 'node_modules' && entry.name !== 'dist'
      return isOurs && !entry.name.startsWith('.') ? markdownFiles(file) : []
    }
    return entry.name.endsWith('.md') ? [file] : []
  })
}

/** Every environment variable that the one reader of the environment knows. */
export function knownVariables(): ReadonlySet<string> {
  return new Set(read('src/config.ts').match(/\b(?:(?:YUANLU|TEMPORAL)_[A-Z_]+|NODE_ENV)\b/g))
}

const USAGE = /^Usage: yuanlu (?<path>[a-z -]*)/

/**
 * Whether the command line has a command with these options: its own help answers, and each option
 * stands in it.
 */
export async function isRegisteredCommand(words: readonly string[]): Promise<boolean> {
  const firstOption = words.findIndex((word) => word.startsWith('-'))
  const command = firstOption === -1 ? words : words.slice(0, firstOption)
  const options = words.filter((word) => word.startsWith('--'))
  const help = await helpOf(command)
  if (help === undefined) return false
  const shown = USAGE.exec(help)?.groups?.['path']?.trim().split(' ') ?? []
  return (
    command.every((word, index) => shown[index] === word) &&
    options.every((option) => new RegExp(`(^|\\s)${option}(\\s|$)`, 'm').test(help))
  )
}

const helps = new Map<string, Promise<string | undefined>>()

/** Each help page is asked for once, since starting the command line takes a while. */
function helpOf(command: readonly string[]): Promise<string | undefined> {
  const key = command.join(' ')
  const known = helps.get(key)
  if (known !== undefined) return known
  const asked = askForHelp(command)
  helps.set(key, asked)
  return asked
}

async function askForHelp(command: readonly string[]): Promise<string | undefined> {
  const program = path.join(cloneRoot, 'bin', 'yuanlu.mjs')
  try {
    const { stdout } = await run(process.execPath, [program, ...command, '--help'])
    return stdout
  } catch {
    return undefined
  }
}

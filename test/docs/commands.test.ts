import { describe, expect, test } from 'vitest'

import { isRegisteredCommand, markdownFiles, read } from './project-facts.js'

const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }

const NPM = /\bnpm (?:run (?<script>[a-z][a-z:-]*)|(?<short>start|test))\b/g
const ADMIN = /docker compose run --rm (?:-T )?admin (?<words>[^\n`]+)/g
const YUANLU = /(?:`|^|npx )yuanlu (?<words>[a-z][^\n`]*)/gm

const found = (pattern: RegExp, text: string, ...groups: readonly string[]): string[] =>
  [...text.matchAll(pattern)].flatMap((match) => {
    return groups.flatMap((group) => match.groups?.[group] ?? [])
  })

/**
 * The command and its options as they are written, up to the first value or blank to fill in;
 * `wechat sign|verify` stands for two commands.
 */
function commandsOf(text: string): string[][] {
  const words = text.trim().split(/\s+/)
  const end = words.findIndex((word) => !/^(--[a-z][a-z-]*|[a-z][a-z|-]*)$/.test(word))
  return (end === -1 ? words : words.slice(0, end)).reduce<string[][]>(
    (commands, word) => {
      return commands.flatMap((command) => word.split('|').map((choice) => [...command, choice]))
    },
    [[]],
  )
}

describe('commands in documents', () => {
  const files = markdownFiles().filter((file) => !file.startsWith('test/'))

  test.each(files)('%s: every npm script named there exists', (file) => {
    const named = found(NPM, read(file), 'script', 'short')
    expect(named.filter((name) => !Object.hasOwn(scripts, name))).toEqual([])
  })

  test.each(files)('%s: every yuanlu command named there exists', async (file) => {
    const text = read(file)
    const named = [...found(ADMIN, text, 'words'), ...found(YUANLU, text, 'words')]
    const unknown: string[] = []
    for (const words of named.flatMap(commandsOf)) {
      if (!(await isRegisteredCommand(words))) unknown.push(words.join(' '))
    }
    expect(unknown).toEqual([])
  })

  test('documents: the two commands of a fresh clone stand in README', () => {
    const named = found(NPM, read('README.md'), 'short')
    expect(new Set(named)).toEqual(new Set(['start', 'test']))
  })
})

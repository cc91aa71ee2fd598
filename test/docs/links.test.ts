import { existsSync } from 'node:fs'
import path from 'node:path'

import { describe, expect, test } from 'vitest'

import { cloneRoot } from '../../src/cli/local/clone.js'
import { markdownFiles, read } from './project-facts.js'

const LINK = /\[[^\]]*\]\(([^()\s]+)\)/g
const CODE_BLOCK = /^```[\s\S]*?^```/gm

const withoutCode = (text: string): string => text.replaceAll(CODE_BLOCK, '')

/** The address GitHub gives a heading. */
function anchorOf(heading: string): string {
  const words = heading.toLowerCase().replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
  return words.trim().replaceAll(' ', '-')
}

const anchorsOf = (text: string): string[] =>
  [...withoutCode(text).matchAll(/^#+ (.+)$/gm)].map(([, heading]) => anchorOf(heading ?? ''))

/** Links to files and headings of ours that lead nowhere. */
function brokenLinks(file: string, text: string): string[] {
  const targets = [...withoutCode(text).matchAll(LINK)].map(([, target]) => target ?? '')
  return targets.filter((target) => !/^(https?|mailto):/.test(target) && !resolves(file, target))
}

function resolves(from: string, target: string): boolean {
  const [relative = '', anchor] = target.split('#', 2)
  const file = relative === '' ? from : path.posix.join(path.posix.dirname(from), relative)
  if (file.startsWith('..') || !existsSync(path.join(cloneRoot, file))) return false
  return anchor === undefined || anchorsOf(read(file)).includes(anchor)
}

describe('links in documents', () => {
  const files = markdownFiles()

  test('documents: are found', () => {
    expect(files).toEqual(expect.arrayContaining(['README.md', 'docs/operating.md']))
  })

  test.each(files)('%s: every link to a file or a heading leads somewhere', (file) => {
    expect(brokenLinks(file, read(file))).toEqual([])
  })

  test('documents: a link that leads nowhere would be noticed', () => {
    const text = '[a](gone.md) [b](#gone) [c](#break-it) [d](README.md) [e](docs/gone.md#x)'
    expect(brokenLinks('README.md', text)).toEqual(['gone.md', '#gone', 'docs/gone.md#x'])
  })
})

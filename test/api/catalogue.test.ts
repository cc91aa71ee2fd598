import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'

import { expect, test } from 'vitest'

import { cloneRoot } from '../../src/cli/local/clone.js'
import { ERRORS } from '../../src/domain/errors.js'

const sources = readdirSync(path.join(cloneRoot, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((name) => /\.(ts|sql)$/.test(name) && name !== path.join('domain', 'errors.ts'))
  .map((name) => readFileSync(path.join(cloneRoot, 'src', name), 'utf8'))

test.each(Object.keys(ERRORS))('the code %s: is answered somewhere', (code) => {
  expect(sources.some((text) => text.includes(`'${code}'`))).toBe(true)
})

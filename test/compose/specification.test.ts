import { readFileSync } from 'node:fs'

import { Ajv2020 } from 'ajv/dist/2020.js'
import { describe, expect, test } from 'vitest'

import { readComposeFile } from './compose-file.js'

const SCHEMA = new URL('../fixtures/compose/compose-spec.json', import.meta.url)
const schema = JSON.parse(readFileSync(SCHEMA, 'utf8')) as object
// The specification's schema uses formats and keywords of its own, which strict mode refuses.
const validate = new Ajv2020({ strict: false, validateFormats: false }).compile(schema)

describe('docker-compose.yml against the Compose specification', () => {
  test('compose: the file is valid', () => {
    validate(readComposeFile())
    expect(validate.errors ?? []).toEqual([])
  })

  test.each([
    ['an unknown member of a service', { api: { image: 'x', bogus: true } }],
    ['a condition nobody knows', { api: { depends_on: { postgres: { condition: 'ready' } } } }],
    ['an environment that is a number', { api: { environment: 1 } }],
    ['a health check with an unknown member', { api: { healthcheck: { tset: ['CMD', 'x'] } } }],
  ])('compose: %s is refused', (_what, services) => {
    expect(validate({ ...readComposeFile(), services })).toBe(false)
  })
})

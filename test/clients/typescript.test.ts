import { readFileSync } from 'node:fs'

import { describe, expect, test } from 'vitest'

import { CLIENT_TYPES, clientTypes } from '../../scripts/generate-client.js'

describe('the TypeScript client', () => {
  test('schema.d.ts: is what the routes say now', async () => {
    const now = await clientTypes()
    expect(readFileSync(CLIENT_TYPES, 'utf8') === now, 'run `npm run client`').toBe(true)
  }, 120_000)
})

import pg from 'pg'
import { describe, expect, test } from 'vitest'

import { createLogger } from '../../src/api/logger.js'

function logged(facts: object): Record<string, unknown> {
  const lines: string[] = []
  const logger = createLogger('info', 'worker', { write: (line) => void lines.push(line) })
  logger.warn(facts, 'an activity failed')
  return JSON.parse(lines.join('')) as Record<string, unknown>
}

/** As the driver makes one when a row is refused. */
function refusal(): pg.DatabaseError {
  const error = new pg.DatabaseError('a row violates a check', 0, 'error')
  return Object.assign(error, {
    code: '23514',
    constraint: 'refunds_within_total',
    detail: 'Failing row contains (Alice, openid-of-somebody).',
    where: 'SQL statement "insert"',
  })
}

describe('the log', () => {
  // Temporal's worker says `error` of what an activity failed with.
  test.each(['err', 'error'])('a refused row under `%s`: is told without its values', (name) => {
    const line = logged({ [name]: refusal() })
    expect(line[name]).toMatchObject({
      message: 'a row violates a check',
      code: '23514',
      constraint: 'refunds_within_total',
    })
    expect(JSON.stringify(line)).not.toMatch(/Alice|openid-of-somebody|SQL statement/)
  })

  test('what is no error: is told by its type alone', () => {
    expect(logged({ error: 'openid-of-somebody' })['error']).toEqual({ type: 'string' })
  })
})

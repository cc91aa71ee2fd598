import { describe, expect, test } from 'vitest'

import { refusalOf } from '../support/refusal.js'
import { changePayment, changeRefund } from '../support/texts.js'
import { testRefusals, useScene } from '../support/rights.js'
import { RULE_REFUSALS } from './tables/rules.js'

describe('rights on what the rules are made of', () => {
  const scene = useScene()
  testRefusals(scene, RULE_REFUSALS)

  // A temporary table stands before a real one, unless the function says where it looks.
  test.each([
    ['payment', changePayment('full', "state = 'closed'"), 'payments_transition'],
    ['refund', changeRefund('done', "state = 'pending', done_at = null"), 'refunds_transition'],
  ])('a temporary table of %s transitions: opens no way', async (kind, statement, refusedBy) => {
    const { book, sql } = scene()
    const client = await book.worker.pool.connect()
    try {
      await client.query(
        `create temporary table ${kind}_transitions (from_state text, to_state text)`,
      )
      await client.query(
        `insert into ${kind}_transitions values ('paid', 'closed'), ('done', 'pending')`,
      )
      expect(await refusalOf(client.query(sql(statement)))).toBe(refusedBy)
    } finally {
      client.release(true)
    }
  })
})

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { newId } from '../../src/db/ids.js'
import { inTransaction } from '../../src/db/transaction.js'
import { recordAudit } from '../../src/ledger/audit.js'
import { NOW, openBook, run, type Book } from '../db/support/book.js'

let book: Book

beforeAll(async () => {
  book = await openBook()
})

afterAll(() => book.close())

describe('the audit log', () => {
  test.each(['api', 'worker'] as const)(
    'a line of the %s: says who did what, and when',
    async (role) => {
      const subjectId = newId(NOW)
      await inTransaction(book[role], (tx) =>
        recordAudit(tx, {
          id: newId(NOW),
          merchantId: book.merchantId,
          at: NOW,
          actorKind: 'api_key',
          actorId: book.askingKeyId,
          actingUser: 'Alice',
          action: 'refund.approve',
          subjectKind: 'refund',
          subjectId,
          detail: { amountFen: 400 },
        }),
      )
      expect(
        await run(
          book.api,
          `select at, actor_kind as kind, actor_id as actor, acting_user as who, action, detail
         from audit where subject_id = $1`,
          [subjectId],
        ),
      ).toEqual([
        {
          at: NOW,
          kind: 'api_key',
          actor: book.askingKeyId,
          who: 'Alice',
          action: 'refund.approve',
          detail: { amountFen: 400 },
        },
      ])
    },
  )

  test('a line of a transaction that fails: is not there', async () => {
    const subjectId = newId(NOW)
    const failing = inTransaction(book.worker, async (tx) => {
      await recordAudit(tx, {
        id: newId(NOW),
        merchantId: book.merchantId,
        at: NOW,
        actorKind: 'engine',
        actorId: 'engine',
        actingUser: null,
        action: 'refund.expired',
        subjectKind: 'refund',
        subjectId,
        detail: {},
      })
      throw new Error('not this time')
    })
    await expect(failing).rejects.toThrow('not this time')
    expect(await run(book.api, 'select 1 from audit where subject_id = $1', [subjectId])).toEqual(
      [],
    )
  })
})

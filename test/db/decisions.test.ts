import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import {
  decisionsOf,
  findDecision,
  markDecisionApplied,
  markDecisionResent,
  markDecisionSignalled,
  recordDecision,
  recordOperatorApproval,
  undeliveredDecisions,
  type DecisionRow,
  type NewDecision,
} from '../../src/db/decisions.js'
import { newId } from '../../src/db/ids.js'
import type { Queryable, Statement } from '../../src/db/pool.js'
import { inTransaction } from '../../src/db/transaction.js'
import { addPayment, addRefund, NOW, openBook, run, type Book } from './support/book.js'
import { refusalOf } from './support/refusal.js'

let book: Book
let paymentId: string

beforeAll(async () => {
  book = await openBook()
  paymentId = await addPayment(book, { totalFen: 100_000 })
})

afterAll(() => book.close())

const later = (seconds: number): Date => new Date(NOW.getTime() + seconds * 1000)

function decide(
  refundId: string,
  decision: Partial<NewDecision> = {},
  db: Queryable = book.api,
): Promise<DecisionRow> {
  return recordDecision(db, {
    id: newId(NOW),
    refundId,
    verb: 'approve',
    principalId: book.approvingKeyId,
    actingUser: 'Bob',
    reason: 'fine',
    now: NOW,
    ...decision,
  })
}

const approveInTemporal = (refundId: string, id: string, reason = 'by hand'): Promise<void> =>
  inTransaction(book.worker, (tx) =>
    recordOperatorApproval(tx, { id, refundId, reason, runId: 'run-1', now: NOW }),
  )

describe('decisions', () => {
  test('a decision: is kept with who said it and why', async () => {
    const refundId = await addRefund(book, paymentId, 10)
    const decision = await decide(refundId)
    expect(await findDecision(book.worker, decision.id)).toEqual({
      id: decision.id,
      refundId,
      verb: 'approve',
      principalKind: 'api_key',
      principalId: book.approvingKeyId,
      actingUser: 'Bob',
      reason: 'fine',
      selfApproval: false,
      storedAt: NOW,
      appliedAt: null,
      outcome: null,
    })
  })

  test.each(['approve', 'reject', 'cancel'] as const)(
    'saying %s 20 times at once: is one decision',
    async (verb) => {
      const refundId = await addRefund(book, paymentId, 10)
      const said = await Promise.all(Array.from({ length: 20 }, () => decide(refundId, { verb })))
      expect(new Set(said.map(({ id }) => id)).size).toBe(1)
      expect(await decisionsOf(book.api, refundId)).toHaveLength(1)
    },
  )

  test('the same said at once, and refused by a limit since: is a new decision', async () => {
    const refundId = await addRefund(book, paymentId, 10)
    const before = new Set<string>()
    // Another caller is faster between the look and the insert, and is refused right after that.
    const slow: Queryable = {
      rows: async <Row>(statement: Statement, values: readonly unknown[]): Promise<Row[]> => {
        const isFirst = statement.name === 'decisions_insert' && before.size === 0
        if (!isFirst) return book.api.rows<Row>(statement, values)
        const { id } = await decide(refundId)
        before.add(id)
        const rows = await book.api.rows<Row>(statement, values)
        await inTransaction(book.worker, (tx) => markDecisionApplied(tx, id, 'over_day_limit', NOW))
        return rows
      },
    }
    const decision = await decide(refundId, {}, slow)
    expect(before.has(decision.id)).toBe(false)
    expect(await decisionsOf(book.api, refundId)).toHaveLength(2)
  })

  test('the same said again with another reason: keeps the first', async () => {
    const refundId = await addRefund(book, paymentId, 10)
    const first = await decide(refundId)
    expect(await decide(refundId, { reason: 'on second thought' })).toEqual(first)
  })

  test('another verb, key or acting user: is another decision', async () => {
    const refundId = await addRefund(book, paymentId, 10)
    const ids = [
      await decide(refundId),
      await decide(refundId, { verb: 'reject' }),
      await decide(refundId, { principalId: book.askingKeyId }),
      await decide(refundId, { actingUser: 'Carol' }),
    ].map(({ id }) => id)
    expect(new Set(ids).size).toBe(4)
    expect((await decisionsOf(book.worker, refundId)).map(({ id }) => id)).toEqual(ids.toSorted())
  })

  test('a decision about a refund that is not there: is refused', async () => {
    expect(await refusalOf(decide(newId(NOW)))).toBe('refund_decisions_refund_id_fkey')
  })

  test('a decision without a reason: is refused', async () => {
    const refundId = await addRefund(book, paymentId, 10)
    expect(await refusalOf(decide(refundId, { reason: '' }))).toBe('refund_decisions_reason_check')
  })

  test('applying twice: keeps the first outcome', async () => {
    const { id } = await decide(await addRefund(book, paymentId, 10))
    const apply = (outcome: 'applied' | 'already_decided', now: Date) =>
      inTransaction(book.worker, (tx) => markDecisionApplied(tx, id, outcome, now))
    await apply('applied', later(1))
    await apply('already_decided', later(2))
    const decision = await findDecision(book.api, id)
    expect([decision?.outcome, decision?.appliedAt]).toEqual(['applied', later(1)])
  })

  test('the marks: are set once each, and sending again stands beside them', async () => {
    const { id } = await decide(await addRefund(book, paymentId, 10))
    await markDecisionSignalled(book.api, id, later(1))
    await markDecisionSignalled(book.api, id, later(2))
    await markDecisionResent(book.worker, id, later(200))
    await markDecisionResent(book.worker, id, later(400))
    const rows = await run(
      book.api,
      `select stored_at as stored, signalled_at as signalled, resent_at as resent,
         resent_count as times from refund_decisions where id = $1`,
      [id],
    )
    expect(rows).toEqual([{ stored: NOW, signalled: later(1), resent: later(400), times: 2 }])
    await inTransaction(book.worker, (tx) => markDecisionApplied(tx, id, 'applied', later(401)))
  })

  test('what to send again: is unapplied, and its last signal is long ago', async () => {
    await run(
      book.worker,
      `update refund_decisions set applied_at = now(), outcome = 'applied'
       where applied_at is null`,
    )
    const refundId = await addRefund(book, paymentId, 10)
    const never = await decide(refundId, { now: later(-300) })
    const longAgo = await decide(refundId, { verb: 'reject', now: later(-400) })
    const justNow = await decide(refundId, { verb: 'cancel', now: later(-500) })
    await decide(refundId, { actingUser: 'Carol', now: later(-10) })
    await markDecisionSignalled(book.api, longAgo.id, later(-200))
    await markDecisionSignalled(book.api, justNow.id, later(-300))
    await markDecisionResent(book.worker, justNow.id, later(-20))
    expect(await undeliveredDecisions(book.worker, later(-120), 10)).toEqual([
      { id: longAgo.id, refundId },
      { id: never.id, refundId },
    ])
  })
})

describe('an approval typed into Temporal', () => {
  test('the worker: records it, as the operator and as nobody else', async () => {
    const refundId = await addRefund(book, paymentId, 10)
    const id = newId(NOW)
    await approveInTemporal(refundId, id)
    expect(await findDecision(book.worker, id)).toMatchObject({
      refundId,
      verb: 'approve',
      principalKind: 'temporal-operator',
      principalId: `temporal:run-1:${id}`,
      actingUser: 'temporal-operator',
      reason: 'by hand',
      appliedAt: null,
    })
  })

  test('the same approval twice: is refused by its id', async () => {
    const refundId = await addRefund(book, paymentId, 10)
    const id = newId(NOW)
    await approveInTemporal(refundId, id)
    expect(await refusalOf(approveInTemporal(refundId, id))).toBe('refund_decisions_pkey')
  })

  test('a long reason: is cut, not refused', async () => {
    const refundId = await addRefund(book, paymentId, 10)
    const id = newId(NOW)
    await approveInTemporal(refundId, id, '长'.repeat(1000))
    expect((await findDecision(book.worker, id))?.reason).toBe('长'.repeat(256))
  })
})

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { newId } from '../../src/db/ids.js'
import {
  markFactResent,
  markFactsApplied,
  markFactsSignalled,
  storeFact,
  unappliedFacts,
  undeliveredFacts,
  type NewFact,
  type StoredFact,
} from '../../src/db/inbox.js'
import { inTransaction } from '../../src/db/transaction.js'
import { NOW, openBook, run, type Book } from './support/book.js'

let book: Book

beforeAll(async () => {
  book = await openBook()
})

afterAll(() => book.close())

const later = (seconds: number): Date => new Date(NOW.getTime() + seconds * 1000)

/** Stores a fact about a subject of its own, unless told otherwise. */
function store(fact: Partial<NewFact> = {}): Promise<StoredFact> {
  const id = newId(NOW)
  return storeFact(book.api, {
    id,
    accountId: book.accountId,
    kind: 'payment',
    businessKey: id,
    subjectId: id,
    source: 'notify',
    verifiedBy: 'signature',
    fact: { kind: 'closed' },
    now: NOW,
    ...fact,
  })
}

const apply = (ids: readonly string[], outcome: string, now: Date): Promise<void> =>
  inTransaction(book.worker, (tx) => markFactsApplied(tx, ids, outcome, now))

describe('the inbox', () => {
  test('a fact told 20 times at once: is one row that counts 20', async () => {
    const businessKey = 'told often'
    const stored = await Promise.all(Array.from({ length: 20 }, () => store({ businessKey })))
    expect(new Set(stored.map(({ id }) => id)).size).toBe(1)
    const seen = stored.map(({ timesSeen }) => timesSeen).toSorted((one, two) => one - two)
    expect(seen).toEqual(Array.from({ length: 20 }, (_, index) => index + 1))
  })

  test('a fact told again: keeps what was told first, and from where', async () => {
    const businessKey = 'told twice'
    const first = await store({ businessKey, fact: { kind: 'closed', n: 1 } })
    await store({ businessKey, fact: { kind: 'closed', n: 2 }, source: 'query', now: later(9) })
    const rows = await run(
      book.api,
      'select source, fact, stored_at as at from inbox where id = $1',
      [first.id],
    )
    expect(rows).toEqual([{ source: 'notify', fact: { kind: 'closed', n: 1 }, at: NOW }])
  })

  test.each([
    ['kind', { kind: 'refund' as const }],
    ['key', { businessKey: 'another' }],
  ])('another %s: is another fact', async (_, other) => {
    const businessKey = `apart by ${_}`
    const one = await store({ businessKey })
    const two = await store({ businessKey, ...other })
    expect(two.id).not.toBe(one.id)
  })

  test('a fact that was applied: says so when it is told again', async () => {
    const businessKey = 'applied'
    const { id, applied } = await store({ businessKey })
    expect(applied).toBe(false)
    await apply([id], 'accepted', later(1))
    expect(await store({ businessKey })).toEqual({ id, applied: true, timesSeen: 2 })
  })

  test('marking twice: keeps the first mark and its outcome', async () => {
    const { id } = await store()
    await apply([id], 'accepted', later(1))
    await apply([id], 'duplicate', later(2))
    const rows = await run(book.api, 'select outcome, applied_at as at from inbox where id = $1', [
      id,
    ])
    expect(rows).toEqual([{ outcome: 'accepted', at: later(1) }])
  })

  test('the marks: are set once each, and sending again stands beside them', async () => {
    const { id } = await store()
    await markFactsSignalled(book.api, [id], later(1))
    await markFactsSignalled(book.api, [id], later(2))
    await markFactResent(book.worker, id, later(200))
    await markFactResent(book.worker, id, later(400))
    await apply([id], 'accepted', later(401))
    const rows = await run(
      book.api,
      `select stored_at as stored, signalled_at as signalled, applied_at as applied,
         resent_at as resent, resent_count as times from inbox where id = $1`,
      [id],
    )
    expect(rows).toEqual([
      { stored: NOW, signalled: later(1), applied: later(401), resent: later(400), times: 2 },
    ])
  })

  test('a fact that was never signalled: is signalled when it is sent again', async () => {
    const { id } = await store()
    await markFactResent(book.worker, id, later(200))
    await markFactsSignalled(book.api, [id], later(201))
    const rows = await run(book.api, 'select signalled_at as at from inbox where id = $1', [id])
    expect(rows).toEqual([{ at: later(200) }])
  })

  test('what is left of a subject: is its unapplied facts, oldest first', async () => {
    const subjectId = newId(NOW)
    const second = await store({ subjectId, now: later(2) })
    const first = await store({ subjectId, now: later(1) })
    const done = await store({ subjectId })
    await apply([done.id], 'duplicate', later(3))
    const left = await unappliedFacts(book.worker, subjectId)
    expect(left.map(({ id }) => id)).toEqual([first.id, second.id])
  })

  test('what to send again: is unapplied, and its last signal is long ago', async () => {
    await run(
      book.worker,
      "update inbox set applied_at = now(), outcome = 'x' where applied_at is null",
    )
    const never = await store({ now: later(-300) })
    const longAgo = await store({ now: later(-400) })
    const justNow = await store({ now: later(-500) })
    const done = await store({ now: later(-600) })
    await store({ now: later(-10) })
    await markFactsSignalled(book.api, [longAgo.id], later(-200))
    await markFactsSignalled(book.api, [justNow.id], later(-300))
    await markFactResent(book.worker, justNow.id, later(-20))
    await apply([done.id], 'accepted', NOW)

    const before = later(-120)
    const ids = async (limit: number) =>
      (await undeliveredFacts(book.worker, before, limit)).map(({ id }) => id)
    expect(await ids(10)).toEqual([longAgo.id, never.id])
    expect(await ids(1)).toEqual([longAgo.id])
  })
})

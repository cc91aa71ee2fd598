import { randomBytes } from 'node:crypto'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { Envelope } from '../../src/db/envelope.js'
import { newId } from '../../src/db/ids.js'
import { storeNotification } from '../../src/db/inbox-bodies.js'
import { erasePayer, knownOfPayer, payerRef } from '../../src/db/payers.js'
import { fen } from '../../src/domain/money.js'
import { postEntry } from '../../src/ledger/journal.js'
import { postPaid } from '../../src/ledger/postings.js'
import { inTransaction } from '../../src/db/transaction.js'
import { addPayment, addRefund, countersOf, NOW, openBook, run, type Book } from './support/book.js'
import { meeting } from './support/meeting.js'

let book: Book
const envelope = new Envelope(randomBytes(32))

beforeAll(async () => {
  book = await openBook()
})

afterAll(() => book.close())

const erase = (ref: Buffer, limit = 100) =>
  erasePayer(book.owner, { merchantId: book.merchantId, ref, limit, now: NOW })

const known = (ref: Buffer) => knownOfPayer(book.owner, book.merchantId, ref)

async function tell(subjectId: string, kind: 'payment' | 'refund'): Promise<void> {
  const id = newId(NOW)
  const { accountId } = book
  const fact = { id, accountId, kind, businessKey: id, subjectId, fact: {}, now: NOW }
  const raw = { body: Buffer.from('<xml/>'), headers: {} }
  await storeNotification(book.api, envelope, { ...fact, verifiedBy: 'signature' }, raw)
}

/** A paid payment with its lines, a refund in each of three states, and its notifications. */
async function addStory(ref: Buffer): Promise<string> {
  const id = await addPayment(book, { payerRef: ref })
  const cause = { merchantId: book.merchantId, kind: 'payment' as const, id }
  await inTransaction(book.worker, (tx) =>
    postEntry(
      tx,
      { ...cause, entryId: newId(NOW), occurredAt: NOW },
      postPaid(book, fen(1000), fen(1000)),
    ),
  )
  await tell(id, 'payment')
  for (const state of ['pending', 'refunding', 'done'] as const) {
    await tell(await addRefund(book, id, 100, state), 'refund')
  }
  return id
}

const PERSONAL = ['channel_request', 'payer_ref', 'payer_erased_at']

/**
 * A fingerprint of each table, without what erasing is meant to change; the queue of lines to be
 * sealed grows by the one that it writes.
 */
async function fingerprints(): Promise<Record<string, string>> {
  const tables = await run<{ name: string }>(
    book.owner,
    `select relname as name from pg_class where relnamespace = 'public'::regnamespace
       and relkind = 'r' and relname !~ '^(inbox_bodies|audit_unsealed$)'`,
  )
  const prints = tables.map(async ({ name }) => {
    const [row] = await run<{ md5: string }>(
      book.owner,
      `select coalesce(md5(string_agg(line, '|' order by line)), '') as md5 from (
         select (to_jsonb(t) - $1::text[])::text as line from ${name} t
         where to_jsonb(t) ->> 'action' is distinct from 'payer.erase') as lines`,
      [PERSONAL],
    )
    return [name, row?.md5 ?? ''] as const
  })
  return Object.fromEntries(await Promise.all(prints))
}

describe('what finds a payer', () => {
  test('the hash: is the same for the same buyer, and of 32 bytes', () => {
    const ref = payerRef(envelope, 'demo', 'o-1')
    expect(ref).toHaveLength(32)
    expect(payerRef(envelope, 'demo', 'o-1')).toEqual(ref)
  })

  test('another merchant, openid or master key: is another hash', () => {
    const refs = [
      payerRef(envelope, 'demo', 'o-1'),
      payerRef(envelope, 'demo2', 'o-1'),
      payerRef(envelope, 'demo', 'o-2'),
      payerRef(new Envelope(randomBytes(32)), 'demo', 'o-1'),
    ]
    expect(new Set(refs.map((ref) => ref.toString('hex'))).size).toBe(4)
  })

  test('the payments of a payer: are found by an index', async () => {
    const plan = await run<{ 'QUERY PLAN': string }>(
      book.owner,
      `explain select id from payments where merchant_id = 'demo' and payer_ref = sha256('x')`,
    )
    const text = plan.map((line) => line['QUERY PLAN']).join('\n')
    expect(text).toContain('payments_by_payer')
  })
})

describe('erasing a payer', () => {
  test('what names the payer: is gone, and every other byte of the book stays', async () => {
    const [ref, other] = [randomBytes(32), randomBytes(32)]
    const id = await addStory(ref)
    await addStory(other)
    const before = await fingerprints()
    expect(before['journal_transfers']).not.toBe('')
    expect(await known(ref)).toEqual({ over: 1, open: 0, bodies: 4 })

    expect(await erase(ref)).toEqual({ payments: 1, bodies: 4 })

    expect(await fingerprints()).toEqual(before)
    expect(await known(ref)).toEqual({ over: 0, open: 0, bodies: 0 })
    expect(await known(other)).toEqual({ over: 1, open: 0, bodies: 4 })
    const [row] = await run(
      book.owner,
      `select channel_request as request, payer_ref as ref, payer_erased_at as at from payments
       where id = $1`,
      [id],
    )
    expect(row).toEqual({ request: Buffer.alloc(0), ref: null, at: NOW })
  })

  test('a refund asked for afterwards: goes its way, and the counters follow', async () => {
    const ref = randomBytes(32)
    const id = await addStory(ref)
    await erase(ref)
    await addRefund(book, id, 700, 'done')
    expect(await countersOf(book, id)).toEqual({ reserved: 200, refunded: 800, settled: 0 })
  })

  test('the audit log: names each payment, and nobody', async () => {
    const ref = randomBytes(32)
    const ids = [await addPayment(book, { payerRef: ref, state: 'closed' }), await addStory(ref)]
    await erase(ref)
    const lines = await run<{ id: string }>(
      book.owner,
      `select subject_id as id, actor_kind as kind, actor_id as who, detail from audit
       where action = 'payer.erase' and subject_id = any($1) order by id`,
      [ids],
    )
    const [{ user }] = (await run<{ user: string }>(book.owner, 'select session_user as user')) as [
      { user: string },
    ]
    const line = { kind: 'command-line', who: user, detail: {} }
    expect(lines).toEqual(ids.toSorted().map((id) => ({ id, ...line })))
  })

  test('an open payment: keeps its payer until it is over', async () => {
    const ref = randomBytes(32)
    const id = await addPayment(book, { payerRef: ref, state: 'awaiting_payment' })
    await addPayment(book, { payerRef: ref, state: 'failed' })
    expect(await erase(ref)).toEqual({ payments: 1, bodies: 0 })
    expect(await known(ref)).toEqual({ over: 0, open: 1, bodies: 0 })
    await run(book.worker, "update payments set state = 'closed' where id = $1", [id])
    expect(await erase(ref)).toEqual({ payments: 1, bodies: 0 })
    expect(await erase(ref)).toEqual({ payments: 0, bodies: 0 })
  })

  test('many payments: are erased in batches', async () => {
    const ref = randomBytes(32)
    for (let count = 0; count < 5; count += 1) {
      await addPayment(book, { payerRef: ref, state: 'closed' })
    }
    const counts = [await erase(ref, 2), await erase(ref, 2), await erase(ref, 2)]
    expect(counts.map(({ payments }) => payments)).toEqual([2, 2, 1])
  })

  test('a late payment of an erased order: is booked as any other', async () => {
    const ref = randomBytes(32)
    const id = await addPayment(book, { payerRef: ref, state: 'closed' })
    await erase(ref)
    const [row] = await run(
      book.worker,
      `update payments set state = 'paid', disposition = 'held', paid_fen = 1, cash_fen = 1,
         settlement_fen = 1, transaction_id = 'late', paid_at = now() where id = $1
       returning state`,
      [id],
    )
    expect(row).toEqual({ state: 'paid' })
  })

  test('a notification that is stored meanwhile: leaves no body behind', async () => {
    const ref = randomBytes(32)
    const id = await addPayment(book, { payerRef: ref })
    const stored = meeting()
    const api = await book.api.pool.connect()
    try {
      await api.query('begin')
      await api.query(
        `select store_notification(gen_random_uuid(), $1, 'payment', 'meanwhile', $2, 'signature',
           '{}', now(), '{}', 'sealed')`,
        [book.accountId, id],
      )
      const erasing = erase(ref).finally(stored.arrive)
      const early = new Promise((resolve) => setTimeout(() => resolve('waits'), 200))
      expect(await Promise.race([stored.met, early])).toBe('waits')
      await api.query('commit')
      expect(await erasing).toEqual({ payments: 1, bodies: 1 })
    } finally {
      api.release()
    }
  })
})

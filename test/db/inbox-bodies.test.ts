import { randomBytes } from 'node:crypto'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { Envelope } from '../../src/db/envelope.js'
import { newId } from '../../src/db/ids.js'
import { findRawMessage, storeNotification, type RawMessage } from '../../src/db/inbox-bodies.js'
import { type NewFact, type StoredFact } from '../../src/db/inbox.js'
import { erasePayer } from '../../src/db/payers.js'
import { ensureBodyPartitions } from '../../src/db/retention.js'
import { addPayment, addRefund, NOW, openBook, run, type Book } from './support/book.js'

const RAW: RawMessage = {
  body: Buffer.from('<xml><openid>o-1</openid></xml>'),
  headers: { 'content-type': 'text/xml', 'user-agent': 'Mozilla/4.0' },
}

let book: Book
let paymentId: string
const envelope = new Envelope(randomBytes(32))

beforeAll(async () => {
  book = await openBook()
  paymentId = await addPayment(book)
})

afterAll(() => book.close())

function store(fact: Partial<NewFact> = {}, raw: RawMessage = RAW): Promise<StoredFact> {
  const id = newId(NOW)
  const told = {
    id,
    accountId: book.accountId,
    kind: 'payment' as const,
    businessKey: id,
    subjectId: paymentId,
    verifiedBy: 'signature' as const,
    fact: { kind: 'paid' },
    now: NOW,
    ...fact,
  }
  return storeNotification(book.api, envelope, told, raw)
}

const bodiesOf = (inboxId: string): Promise<{ text: string }[]> =>
  run(book.owner, 'select b::text as text from inbox_bodies b where inbox_id = $1', [inboxId])

describe('the body of a notification', () => {
  test('a notification: is kept as it arrived, beside the fact', async () => {
    const { id, applied, timesSeen } = await store()
    expect([applied, timesSeen]).toEqual([false, 1])
    expect(await findRawMessage(book.worker, envelope, id)).toEqual({
      receivedAt: NOW,
      headers: { 'content-type': 'text/xml', 'user-agent': 'Mozilla/4.0' },
      body: RAW.body,
    })
    const [row] = await run(book.worker, 'select source, verified_by from inbox where id = $1', [
      id,
    ])
    expect(row).toEqual({ source: 'notify', verified_by: 'signature' })
  })

  test('what is stored: holds no word of the body', async () => {
    const { id } = await store()
    const hex = Buffer.from('openid').toString('hex')
    for (const { text } of await bodiesOf(id)) expect(text).not.toContain(hex)
  })

  test('told 20 times at once: is kept once and counted 20 times', async () => {
    const businessKey = 'told often'
    const stored = await Promise.all(Array.from({ length: 20 }, () => store({ businessKey })))
    const id = stored[0]?.id ?? ''
    expect(new Set(stored.map((fact) => fact.id)).size).toBe(1)
    expect(Math.max(...stored.map(({ timesSeen }) => timesSeen))).toBe(20)
    expect(await bodiesOf(id)).toHaveLength(1)
    expect((await findRawMessage(book.worker, envelope, id))?.body).toEqual(RAW.body)
  })

  test('told again with other bytes: keeps the first', async () => {
    const businessKey = 'told twice'
    const { id } = await store({ businessKey })
    await store({ businessKey }, { body: Buffer.from('other'), headers: {} })
    expect((await findRawMessage(book.worker, envelope, id))?.body).toEqual(RAW.body)
  })

  test('headers: only those that describe the bytes are kept, and no long ones', async () => {
    const headers = {
      authorization: 'Bearer x',
      cookie: 'session=x',
      'content-type': ['text/xml', 'text/plain'],
      'user-agent': 'x'.repeat(1_000),
      'x-forwarded-for': '203.0.113.7',
    }
    const { id } = await store({}, { body: RAW.body, headers })
    const kept = await findRawMessage(book.worker, envelope, id)
    expect(kept?.headers).toEqual({ 'user-agent': 'x'.repeat(256) })
  })

  test('moved to another fact: does not open', async () => {
    const [one, two] = [await store(), await store()]
    await run(book.owner, 'delete from inbox_bodies where inbox_id = $1', [two.id])
    await run(
      book.owner,
      `insert into inbox_bodies select $2, received_at, headers, ciphertext from inbox_bodies
       where inbox_id = $1`,
      [one.id, two.id],
    )
    await expect(findRawMessage(book.worker, envelope, two.id)).rejects.toThrow(
      'unable to authenticate data',
    )
  })

  test('a month that nobody prepared: takes the notification all the same', async () => {
    const { id } = await store({ now: new Date('2031-05-05T00:00:00Z') })
    expect((await findRawMessage(book.worker, envelope, id))?.body).toEqual(RAW.body)
    const [row] = await run(
      book.owner,
      'select tableoid::regclass::text as name from inbox_bodies where inbox_id = $1',
      [id],
    )
    expect(row).toEqual({ name: 'inbox_bodies_default' })
  })

  test('a month that is prepared: takes its bodies', async () => {
    const now = new Date()
    await ensureBodyPartitions(book.worker, now)
    const { id } = await store({ now })
    const [row] = await run<{ name: string }>(
      book.owner,
      'select tableoid::regclass::text as name from inbox_bodies where inbox_id = $1',
      [id],
    )
    expect(row?.name).toMatch(/^inbox_bodies_\d{4}_\d{2}$/)
  })

  test('a payer who is erased: gets no new body, for a payment or its refund', async () => {
    const ref = randomBytes(32)
    const erased = await addPayment(book, { payerRef: ref })
    const refundId = await addRefund(book, erased, 10, 'done')
    const before = await store({ subjectId: erased })
    expect(await bodiesOf(before.id)).toHaveLength(1)
    const { merchantId } = book
    await erasePayer(book.owner, { merchantId, ref, limit: 1, now: NOW })
    const after = await store({ subjectId: erased })
    const refund = await store({ subjectId: refundId, kind: 'refund', verifiedBy: 'decryption' })
    for (const { id } of [before, after, refund]) expect(await bodiesOf(id)).toEqual([])
    expect(after.timesSeen).toBe(1)
  })
})

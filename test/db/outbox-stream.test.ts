import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import { newId } from '../../src/db/ids.js'
import { positionEvents, readOutbox } from '../../src/db/outbox-stream.js'
import { inTransaction, type Transaction } from '../../src/db/transaction.js'
import { addPayment, connect, NOW, openBook, run, type Book } from './support/book.js'
import { meeting } from './support/meeting.js'
import { refusalOf } from './support/refusal.js'

let book: Book

beforeEach(async () => {
  book = await openBook()
})

afterEach(() => book.close())

const INSERT = {
  text: `insert into outbox (id, subject, sequence, type, payload, created_at)
    select $1, $2, 1 + coalesce(max(sequence), 0), 'payment.paid', '{}', $3
    from outbox where subject = $2`,
}

async function tell(tx: Transaction, paymentId: string, at = NOW): Promise<void> {
  await tx.rows({ text: 'select from payments where id = $1 for no key update' }, [paymentId])
  await tx.rows(INSERT, [newId(at), paymentId, at])
}

const event = (paymentId: string, at = NOW): Promise<void> =>
  inTransaction(book.worker, (tx) => tell(tx, paymentId, at))

const read = (after = 0, limit = 1_000) => readOutbox(book.api, after, limit)

describe('the stream of events', () => {
  test('an event without a position: is not read', async () => {
    await event(await addPayment(book))
    expect(await read()).toEqual([])
    expect(await positionEvents(book.worker, 100)).toBe(1)
    expect(await read()).toMatchObject([{ position: 1, sequence: 1, type: 'payment.paid' }])
  })

  test('a transaction that commits late: comes behind those that were read', async () => {
    const [one, two] = [await addPayment(book), await addPayment(book)]
    const [written, readOn] = [meeting(), meeting()]
    const late = inTransaction(book.worker, async (tx) => {
      await tell(tx, one)
      written.arrive()
      await readOn.met
    })
    await written.met
    await event(two)
    expect(await positionEvents(book.worker, 100)).toBe(1)
    expect((await read()).map(({ paymentId }) => paymentId)).toEqual([two])
    readOn.arrive()
    await late
    expect(await positionEvents(book.worker, 100)).toBe(1)
    expect((await read(1)).map(({ paymentId }) => paymentId)).toEqual([one])
  })

  test('a transaction that fails: leaves no gap', async () => {
    const paymentId = await addPayment(book)
    const failing = inTransaction(book.worker, async (tx) => {
      await tell(tx, paymentId)
      throw new Error('no event')
    })
    await expect(failing).rejects.toThrow('no event')
    await event(paymentId)
    await positionEvents(book.worker, 100)
    expect((await read()).map(({ position }) => position)).toEqual([1])
  })

  test('clocks that disagree: do not change the order of a payment', async () => {
    const paymentId = await addPayment(book)
    for (const seconds of [5, 1, 3, 0]) {
      await event(paymentId, new Date(NOW.getTime() + seconds * 1_000))
    }
    for (let done = -1; done !== 0;) done = await positionEvents(book.worker, 1)
    expect((await read()).map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4])
  })

  test('16 that write and two that give positions: leave no gap, nothing is missed', async () => {
    const writers = connect(book.workerUrl, 16)
    const other = connect(book.workerUrl, 1)
    const payments = await Promise.all(Array.from({ length: 8 }, () => addPayment(book)))
    const seen: number[] = []
    let isWriting = true
    const follow = async (): Promise<void> => {
      for (const { position } of await read(seen.at(-1) ?? 0, 7)) seen.push(position)
    }
    try {
      const positioning = [book.worker, other].map(async (database) => {
        while (isWriting) await positionEvents(database, 5)
      })
      const following = (async () => {
        while (isWriting) await follow()
      })()
      await Promise.all(
        Array.from({ length: 160 }, (_, n) =>
          inTransaction(writers, (tx) => tell(tx, payments[n % 8] ?? '')),
        ),
      )
      isWriting = false
      await Promise.all([...positioning, following])
    } finally {
      isWriting = false
      await Promise.all([writers.close(), other.close()])
    }
    for (let done = -1; done !== 0;) done = await positionEvents(book.worker, 100)
    for (let before = -1; before < seen.length;) {
      before = seen.length
      await follow()
    }
    expect(seen).toEqual(Array.from({ length: 160 }, (_, n) => n + 1))
    const [wrong] = await run<{ count: number }>(
      book.owner,
      `select count(*) from (select position < lag(position) over (partition by subject
         order by sequence) as back from outbox) as events where back`,
    )
    expect(wrong?.count).toBe(0)
  })
})

describe('the position of an event', () => {
  test.each([
    ['the owner changes one', 'update outbox set position = 9', 'outbox_position_once'],
    ['the owner takes one back', 'update outbox set position = null', 'outbox_position_once'],
  ])('%s: is refused by the trigger', async (_, statement, refusedBy) => {
    await event(await addPayment(book))
    await positionEvents(book.worker, 100)
    expect(await refusalOf(run(book.owner, statement))).toBe(refusedBy)
  })

  test('the worker gives one by hand: has no right to', async () => {
    await event(await addPayment(book))
    const byHand = run(book.worker, 'update outbox set position = 1')
    expect(await refusalOf(byHand)).toBe('permission denied for table outbox')
  })
})

import { describe, expect, test } from 'vitest'

import { OFFENCES } from '../../src/chaos/books/offences.js'
import { isClean, judgeBooks, offendersOf } from '../../src/chaos/books/verdict.js'
import { one, payment, refund, without } from './support/difference.js'
import { MESSAGE_DIFFERENCES } from './support/message-differences.js'
import { MONEY_DIFFERENCES } from './support/money-differences.js'
import { soundBooks } from './support/sound-books.js'

/** Every way in which one of the books can be wrong, and whom the verdict names for it. */
const differences = [...MONEY_DIFFERENCES, ...MESSAGE_DIFFERENCES]

describe('four books that agree', () => {
  test('their verdict: counts them and names nobody', () => {
    const { books, expected } = soundBooks()
    const verdict = judgeBooks(books, expected)
    expect(offendersOf(verdict)).toEqual([])
    expect(verdict).toMatchObject({ payments: 5, refunds: 5, bookSumFen: 0 })
    expect(isClean(verdict)).toBe(true)
  })

  test('coupons of the merchant: are no difference, as they never came in', () => {
    const sound = soundBooks()
    Object.assign(payment(sound, 'P5'), { settlementFen: 900 })
    const [first] = sound.books.journal.filter(({ causeId }) => causeId === 'id-P5')
    if (first === undefined) throw new Error('P5 is posted.')
    first.amountFen = 900
    const coupon = { ...first, n: 2, debit: 'coupon_cost:shop', amountFen: 100 }
    sound.books.journal.push(coupon)
    expect(offendersOf(judgeBooks(sound.books, sound.expected))).toEqual([])
  })

  test('more promised than was paid, by a refund of the portal: is excused by its case', () => {
    const sound = soundBooks()
    Object.assign(refund(sound, 'R5'), {
      state: 'approved',
      holdReason: 'over_reserved',
      amountFen: 1_100,
    })
    Object.assign(payment(sound, 'P5'), { reservedFen: 1_100, overReservedFen: 100 })
    sound.books.tables.cases.push({
      kind: 'refunds_exceed_payment',
      paymentId: 'id-P5',
      amountFen: 100,
      isOpen: true,
    })
    sound.books.channel.refunds = without(sound.books.channel.refunds, 'R5')
    sound.books.channel.notifications = without(sound.books.channel.notifications, 'R5')
    sound.books.journal = without(sound.books.journal, 'id-R5')
    one(sound.books.workflows, 'refund:shop:R5').states = ['approved']
    one(sound.expected.refunds, 'R5').lastAnswer = { state: 'approved' }
    expect(offendersOf(judgeBooks(sound.books, sound.expected))).toEqual([])
  })
})

describe('four books of which one is wrong', () => {
  test.each(differences)('%s of %s: %s', (kind, subject, _what, change) => {
    const sound = soundBooks()
    change(sound)
    const verdict = judgeBooks(sound.books, sound.expected)
    const named = offendersOf(verdict)
    expect(named).toContainEqual({ kind, subject, sentence: expect.stringContaining(subject) })
    expect(verdict[OFFENCES[kind]]).toContainEqual(expect.objectContaining({ kind, subject }))
    expect(isClean(verdict)).toBe(false)
  })

  test('the balance at the channel: is a net for what no other check has seen', () => {
    const sound = soundBooks()
    // Row and journal agree that it is in transit; only the channel has the money back.
    Object.assign(refund(sound, 'R5'), { isInTransit: true })
    sound.books.journal = without(sound.books.journal, 'J4')
    const named = offendersOf(judgeBooks(sound.books, sound.expected))
    expect(named).toEqual([
      {
        kind: 'balance_differs',
        subject: 'wechat',
        sentence: 'the journal has 13.01 yuan at WeChat Pay, which has 16.01 yuan',
      },
    ])
  })

  test('the table of differences: names every offence there is', () => {
    const shown = new Set<string>(differences.map(([kind]) => kind))
    const missing = Object.keys(OFFENCES).filter((kind) => !shown.has(kind))
    expect(missing).toEqual(['balance_differs'])
  })
})

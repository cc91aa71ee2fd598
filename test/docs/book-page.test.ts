import { beforeAll, describe, expect, test } from 'vitest'

import { bookPage } from '../../scripts/generate-book-docs.js'
import { newId } from '../../src/db/ids.js'
import { storeFact } from '../../src/db/inbox.js'
import { fen } from '../../src/domain/money.js'
import { refundFactKey } from '../../src/domain/refund.js'
import { balances } from '../../src/ledger/journal.js'
import { EXAMPLES } from '../ledger/support/examples.js'
import { REFUSALS } from '../db/rights/tables/all.js'
import { paidFact, refundFact } from '../support/seed.js'
import { useWorkshop } from '../support/workshop.js'
import { read } from './project-facts.js'

const page = read('docs/reference/book.md')
const blocks = [...page.matchAll(/```sql\n(.*?)```/gs)].map(([, text = '']) => text)
/** Each check by its comment. */
const checks = blocks.flatMap((text) => {
  const title = /^-- (.*)\./.exec(text)?.[1]
  return title === undefined ? [] : [[title, text] as const]
})
const workshop = useWorkshop()

beforeAll(async () => {
  await makeBook()
})

/** An accepted payment with a coupon and a refund of a part, a held payment, one that is open. */
async function makeBook(): Promise<void> {
  const { seed, activities, clock } = workshop
  const coupon = await seed.payment({ totalFen: 1_000 })
  await seed.paymentFact(coupon, paidFact(coupon, { settlementFen: fen(850) }))
  await activities.settlePayment(coupon.id)
  const held = await seed.payment({ totalFen: 1_000 })
  await seed.paymentFact(held, paidFact(held, { totalFen: fen(999), settlementFen: fen(999) }))
  await activities.settlePayment(held.id)
  await seed.payment()
  const refund = await seed.approvedRefund(coupon, 400)
  const sent = { state: 'refunding', cause: 'unknown', firstSubmittedAt: clock.now() } as const
  await seed.change(refund, sent)
  await storeFact(seed.worker, {
    id: newId(clock.now()),
    accountId: refund.accountId,
    kind: 'refund',
    businessKey: refundFactKey(refund.outRefundNo, 'success', 'query'),
    subjectId: refund.id,
    source: 'query',
    verifiedBy: 'query',
    fact: refundFact(refund, 'success', { settlementFen: fen(340) }),
    now: clock.now(),
  })
  await activities.settleRefund(refund.id)
}

describe('the page of the book', () => {
  test('its tables: are what the sources and the tests say today', () => {
    expect(page).toBe(bookPage())
  })

  test('every refusal that is tested: stands there, with who refuses', () => {
    for (const { what, refusedBy } of Object.values(REFUSALS).flat()) {
      expect(page).toContain(what)
      expect(page).toContain(refusedBy)
    }
  })

  test('every refusal that stands there: is tested', () => {
    const tested = new Set(
      Object.values(REFUSALS)
        .flat()
        .map(({ what }) => what),
    )
    const [section = ''] = /<!-- begin refusals.*<!-- end refusals/s.exec(page) ?? []
    const listed = [...section.matchAll(/^\| (?:API|worker|owner) \| (.*?) \| /gm)].flatMap(
      ([, whats = '']) => whats.split('; '),
    )
    expect(listed.length).toBeGreaterThan(150)
    expect(listed.filter((what) => !tested.has(what))).toEqual([])
  })

  test('every worked example: stands there as it is tested', () => {
    for (const line of EXAMPLES.flatMap(({ lines }) => lines)) expect(page).toContain(line)
  })

  test('the order from end to end: leaves the balances of its last line', async () => {
    const sums = new Map(
      (await balances(workshop.seed.api)).map(({ account, balanceFen }) => [
        account.split(':')[0],
        balanceFen,
      ]),
    )
    const [last = ''] = /^\| refund arrived .*$/m.exec(page) ?? []
    const [, , , ...figures] = last.split('|').map((cell) => cell.trim())
    // The held payment stands beside the order at WeChat Pay.
    const wechatFen = (sums.get('wechat') ?? 0) - 999
    expect([wechatFen, sums.get('refunds_in_transit'), sums.get('coupon_cost')]).toEqual(
      [figures[0], figures[1], figures[2]].map(Number),
    )
    expect([sums.get('sales'), sums.get('returns')]).toEqual([figures[3], figures[4]].map(Number))
  })
})

describe('the statements of the page', () => {
  test('there are three checks, and the balance at a moment', () => {
    expect([checks.length, blocks.length]).toEqual([3, 4])
  })

  test.each(checks)('%s: is not found in a sound book', async (_, text) => {
    expect(await workshop.seed.look(text)).toEqual([])
  })

  test('the balance at a moment: is nothing before the first entry and all of it now', async () => {
    const text = blocks.find((block) => block.includes('$1')) ?? ''
    const { seed } = workshop
    expect(await seed.look(text, new Date('2000-01-01'))).toEqual([])
    const end = new Date('2100-01-01')
    const now = await seed.look<{ account: string; balance_fen: string }>(text, end)
    expect(now.map(({ account, balance_fen: sum }) => [account, Number(sum)])).toEqual(
      (await balances(seed.api)).map(({ account, balanceFen }) => [account, balanceFen]),
    )
  })
})

describe('a book that was spoiled by its owner', () => {
  const DAMAGES = [
    'update payments set refunded_fen = refunded_fen - 1 where refunded_fen > 0',
    `alter table journal_transfers disable trigger all;
     delete from journal_transfers where rule = 'P2'`,
    `alter table journal_transfers disable trigger all;
     update journal_transfers set amount_fen = 341 where rule = 'J2' and n = 1`,
  ]

  test.each(checks.map((check, index) => [...check, DAMAGES[index] ?? ''] as const))(
    '%s: is found',
    async (_, text, damage) => {
      await workshop.seed.look(damage)
      expect(await workshop.seed.look(text)).toHaveLength(1)
    },
  )
})

import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { newId } from '../../src/db/ids.js'
import { addPolicy, currentPolicy, findPolicy } from '../../src/db/policies.js'
import {
  approvalsNeeded,
  DEFAULT_POLICY,
  type ApprovalRule,
  type ApprovalTerms,
} from '../../src/domain/approval.js'
import { REASON_CATEGORIES } from '../../src/domain/refund.js'
import { NOW, openBook, run, type Book } from './support/book.js'

let book: Book
beforeAll(async () => {
  book = await openBook()
})
afterAll(() => book.close())

const maybe = <T>(values: fc.Arbitrary<T>) => fc.option(values, { nil: null })
const shipped = maybe(fc.boolean())
const category = fc.constantFrom(...REASON_CATEGORIES)
const rule: fc.Arbitrary<ApprovalRule> = fc.record({
  upToFen: maybe(fc.integer({ min: 1, max: 20 })),
  withinDays: maybe(fc.integer({ min: 1, max: 4 })),
  shipped,
  reasonCategories: maybe(fc.uniqueArray(category, { minLength: 1, maxLength: 3 })),
  approvals: fc.constantFrom(0, 1, 2),
})
const terms: fc.Arbitrary<ApprovalTerms> = fc.record({
  amountFen: fc.integer({ min: 1, max: 25 }),
  // Around the ends of the days that rules speak of.
  paymentAgeMs: fc
    .tuple(fc.integer({ min: 0, max: 5 }), fc.integer({ min: -1, max: 1 }))
    .map(([days, ms]) => Math.max(0, days * 86_400_000 + ms)),
  shipped,
  reasonCategory: category,
})

const add = (rules: readonly ApprovalRule[]) =>
  addPolicy(
    book.api,
    { ...DEFAULT_POLICY, rules },
    {
      merchantId: book.merchantId,
      keyId: book.approvingKeyId,
      actingUser: 'boss',
      auditId: newId(NOW),
      now: NOW,
    },
  )

test('how many have to approve: the database and the domain say the same', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(rule, { maxLength: 5 }),
      fc.array(terms, { minLength: 10, maxLength: 10 }),
      async (rules, many) => {
        const version = await add(rules)
        for (const one of many) {
          const [row] = await run<{ needed: number }>(
            book.owner,
            `select approvals_needed($1, $2, $3, make_interval(secs => $4::float8 / 1000), $5, $6)
               as needed`,
            [
              book.merchantId,
              version,
              one.amountFen,
              one.paymentAgeMs,
              one.shipped,
              one.reasonCategory,
            ],
          )
          expect(row?.needed).toBe(approvalsNeeded(rules, one))
        }
      },
    ),
    { numRuns: 40 },
  )
})

test('a policy: comes back as it was written, and the newest one counts', async () => {
  const rules: ApprovalRule[] = [
    {
      upToFen: 100,
      withinDays: 7,
      shipped: false,
      reasonCategories: ['defective', 'mistake'],
      approvals: 0,
    },
    { upToFen: null, withinDays: null, shipped: null, reasonCategories: null, approvals: 2 },
  ]
  const version = await add(rules)
  expect(await currentPolicy(book.api, book.merchantId)).toMatchObject({ version, rules })
  await add([{ approvals: 1 }])
  expect(await findPolicy(book.api, book.merchantId, version)).toMatchObject({ rules })
})

test('policies and their rules: never change and are never removed', async () => {
  await add([{ approvals: 1 }])
  for (const table of ['approval_policies', 'approval_rules']) {
    await expect(run(book.owner, `update ${table} set version = 99`)).rejects.toThrow(
      'never change',
    )
    await expect(run(book.owner, `delete from ${table}`)).rejects.toThrow('never removed')
  }
})

test.each([
  'insert into approval_policies select * from approval_policies',
  "insert into approval_rules values ('demo', 1, 9, null, null, null, null, 0)",
  "update merchants set self_approval = true where id = 'demo'",
  "select * from take_day_amount('demo', 1, 1, now())",
  "insert into person_day_totals values ('demo', '', now(), 0)",
])('the API may not: %s', async (statement) => {
  await expect(run(book.api, statement)).rejects.toThrow('permission denied')
})

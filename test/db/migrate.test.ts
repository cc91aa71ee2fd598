import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { migrate, migrationNames } from '../../src/db/migrate.js'
import { PAYMENT_EDGES, REFUND_EDGES, REFUND_EFFECT } from '../../src/domain/states.js'
import { openBook, run, type Book } from './support/book.js'

let book: Book

beforeAll(async () => {
  book = await openBook()
})

afterAll(() => book.close())

interface Seeds {
  readonly payments: string[]
  readonly refunds: string[]
  readonly effects: string[]
}

async function lines(text: string): Promise<string[]> {
  const rows = await run<{ line: string }>(book.owner, text)
  return rows.map(({ line }) => line).toSorted()
}

const edgesOf = (table: string): Promise<string[]> =>
  lines(`select from_state || ' -> ' || to_state as line from ${table}`)

/** What the triggers look into. */
async function seedsOfDatabase(): Promise<Seeds> {
  return {
    payments: await edgesOf('payment_transitions'),
    refunds: await edgesOf('refund_transitions'),
    effects: await lines("select state || ': ' || bucket as line from refund_effects"),
  }
}

const pairs = (edges: Readonly<Record<string, readonly { to: string }[]>>): string[] =>
  Object.entries(edges)
    .flatMap(([from, list]) => list.map(({ to }) => `${from} -> ${to}`))
    .toSorted()

const SEEDS_OF_DOMAIN: Seeds = {
  payments: pairs(PAYMENT_EDGES),
  refunds: pairs(REFUND_EDGES),
  effects: Object.entries(REFUND_EFFECT)
    .map(([state, bucket]) => `${state}: ${bucket}`)
    .toSorted(),
}

describe('migrating', () => {
  test('the names: are numbered without a gap', async () => {
    const names = await migrationNames()
    expect(names.map((name) => Number(name.slice(0, 4)))).toEqual(
      names.map((_, index) => index + 1),
    )
  })

  test('a second run: applies nothing and changes no row', async () => {
    const before = await run(
      book.owner,
      'select name, applied_at from schema_migrations order by 1',
    )
    expect(await migrate(book)).toEqual({ applied: [] })
    const after = await run(book.owner, 'select name, applied_at from schema_migrations order by 1')
    expect(after).toEqual(before)
    expect(after).toHaveLength((await migrationNames()).length)
  })

  test('four processes at once: run one after the other', async () => {
    const runs = await Promise.all(Array.from({ length: 4 }, () => migrate(book)))
    expect(runs.map(({ applied }) => applied)).toEqual([[], [], [], []])
  })

  test('the transitions and effects: equal the tables of the domain, both ways', async () => {
    expect(await seedsOfDatabase()).toEqual(SEEDS_OF_DOMAIN)
  })

  test.each([
    ['an edge too many', "insert into payment_transitions values ('paid', 'closed')"],
    ['an edge too few', "delete from refund_transitions where from_state = 'pending'"],
    ['another effect', "update refund_effects set bucket = 'none' where state = 'pending'"],
    ['a state nobody knows', "insert into refund_effects values ('lost', 'none')"],
  ])('%s: is put right by the next run', async (_, edit) => {
    await run(book.owner, edit)
    expect(await seedsOfDatabase()).not.toEqual(SEEDS_OF_DOMAIN)
    await migrate({ ownerUrl: book.ownerUrl })
    expect(await seedsOfDatabase()).toEqual(SEEDS_OF_DOMAIN)
  })

  test('the roles of API and worker: log in and own nothing', async () => {
    for (const database of [book.api, book.worker]) {
      expect(
        await run(
          database,
          `select rolsuper, rolcreatedb, rolcreaterole, rolbypassrls,
             (select count(*) from pg_class where relowner = r.oid) as owned
           from pg_roles r where rolname = current_user`,
        ),
      ).toEqual([
        {
          rolsuper: false,
          rolcreatedb: false,
          rolcreaterole: false,
          rolbypassrls: false,
          owned: 0,
        },
      ])
    }
  })
})

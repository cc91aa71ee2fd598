import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { openBook, run, type Book } from '../support/book.js'
import { REFUSALS } from './tables/all.js'

/** What refuses something and has no line in the table, because no statement gets there. */
const UNREACHED: Readonly<Record<string, string>> = {
  webhook_attempts_immutable: 'a month tells by its own name, as webhook_attempts_default does',
}

let book: Book

beforeAll(async () => {
  book = await openBook()
})

afterAll(() => book.close())

const named = async (text: string): Promise<string[]> =>
  (await run<{ name: string }>(book.owner, text)).map(({ name }) => name)

/** Checks, keys and unique indexes that somebody named; PostgreSQL names the others itself. */
const rules = (): Promise<string[]> =>
  named(`
    with made as (
      select c.conname as name, r.relname, c.contype from pg_constraint c
        join pg_class r on r.oid = c.conrelid
        where c.connamespace = 'public'::regnamespace and c.contype in ('c', 'u', 'p', 'f', 'x')
          and not r.relispartition and c.conparentid = 0
      union all
      select i.relname, r.relname, 'i' from pg_index x
        join pg_class i on i.oid = x.indexrelid join pg_class r on r.oid = x.indrelid
        where i.relnamespace = 'public'::regnamespace and x.indisunique and not i.relispartition
          and not exists (select from pg_constraint where conindid = x.indexrelid)
    )
    select name from made
    where name !~ ('^' || relname || '_(.+_)?(check\\d*|key|fkey|pkey)$')`)

/** What the functions behind triggers, and those that are called, refuse with. */
const raised = (): Promise<string[]> =>
  named(`
    select m[1] as name from pg_proc p,
      lateral regexp_matches(prosrc, 'constraint = ''([a-z_]+)''', 'g') m
    where pronamespace = 'public'::regnamespace
    union
    select r.relname || case p.proname when 'refuse_change' then '_immutable'
        else '_never_removed' end
      from pg_trigger t join pg_class r on r.oid = t.tgrelid join pg_proc p on p.oid = t.tgfoid
      where p.proname in ('refuse_change', 'refuse_removal') and not r.relispartition`)

const refusedBy = new Set(
  Object.values(REFUSALS).flatMap((lines) => lines.map((line) => line.refusedBy)),
)

describe('the table of refusals', () => {
  test('every rule with a name: has a line, or a reason why nothing gets there', async () => {
    const all = [...new Set([...(await rules()), ...(await raised())])]
    const missing = all.filter((name) => !refusedBy.has(name) && !(name in UNREACHED))
    expect(missing.toSorted()).toEqual([])
    expect(all.length).toBeGreaterThan(70)
  })

  test('what nothing gets to: is there, and has no line', async () => {
    const all = new Set([...(await rules()), ...(await raised())])
    for (const name of Object.keys(UNREACHED)) {
      expect(all.has(name), name).toBe(true)
      expect(refusedBy.has(name), name).toBe(false)
    }
  })
})

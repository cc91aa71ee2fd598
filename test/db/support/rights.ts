import { afterAll, beforeAll, expect, test } from 'vitest'

import { run, type Book } from './book.js'
import type { Attempt, Refusal } from './refusals.js'
import { refusalOf } from './refusal.js'
import { openScene, type Scene } from './scene.js'

/** A scene that lives as long as the tests of the file. */
export function useScene(): () => Scene {
  let scene: Scene | undefined
  beforeAll(async () => {
    scene = await openScene()
  })
  afterAll(() => scene?.book.close())
  return () => {
    if (scene === undefined) throw new Error('The scene is open only while tests run.')
    return scene
  }
}

/** One test for each line: it is refused by what the line names, and no row anywhere changes. */
export function testRefusals(scene: () => Scene, lines: readonly Refusal[]): void {
  test.each(lines)('$role $what: is refused by $refusedBy', async (line) => {
    const { book, sql } = scene()
    const before = await contents(book)
    expect(await refusalOf(run(book[line.role], sql(line.statement)))).toBe(line.refusedBy)
    expect(await contents(book)).toEqual(before)
  })
}

/** One test for each line: it is done. What refuses everything would refuse the engine too. */
export function testPermissions(scene: () => Scene, lines: readonly Attempt[]): void {
  test.each(lines)('$role $what: is done', async ({ role, statement }) => {
    const { book, sql } = scene()
    await expect(run(book[role], sql(statement))).resolves.toBeDefined()
  })
}

/** A fingerprint of every row of every table. */
async function contents(book: Book): Promise<unknown> {
  const tables = await run<{ name: string }>(
    book.owner,
    "select tablename as name from pg_tables where schemaname = 'public' order by 1",
  )
  const fingerprints = tables.map(
    ({ name }) =>
      `select '${name}' as name, count(*), md5(string_agg(t::text, '|' order by t::text))
       from ${name} t`,
  )
  return run(book.owner, `${fingerprints.join(' union all ')} order by 1`)
}

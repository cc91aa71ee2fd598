import { expect, test } from 'vitest'

import { schemaPage } from '../../scripts/schema-diagram.js'
import { connectAsOwner } from '../db/support/owner-client.js'
import { read } from './project-facts.js'

// `node --import tsx scripts/generate-schema-docs.ts` writes the page anew.
test('the schema page: is what the catalogue of a migrated database says', async () => {
  expect(read('docs/reference/schema.md')).toBe(await schemaPage(await connectAsOwner()))
})

test.each([
  ['a table', 'create table notes (id int primary key)'],
  ['a column', 'alter table merchants add column note text'],
  ['a reference', 'alter table payments drop constraint payments_of_their_account'],
])('%s that changes: is seen on the page', async (_, change) => {
  const client = await connectAsOwner()
  await client.query(change)
  expect(await schemaPage(client)).not.toBe(read('docs/reference/schema.md'))
})

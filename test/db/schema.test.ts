import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

import { expect, test } from 'vitest'

import { schemaText } from '../../scripts/schema-text.js'
import { connectAsOwner } from './support/owner-client.js'

const SCHEMA = fileURLToPath(new URL('./schema.sql', import.meta.url))

// `node --import tsx scripts/dump-schema.ts` writes the file anew.
test('the schema: is the one in schema.sql', async () => {
  const client = await connectAsOwner()
  expect(await schemaText(client)).toBe(await readFile(SCHEMA, 'utf8'))
})

test.each([
  ['a column', 'alter table merchants add column note text'],
  ['a type', 'alter table merchants alter column name type varchar(64)'],
  ['a default', 'alter table payments alter column due_count set default 1'],
  ['a constraint', 'alter table payments drop constraint payments_refunded_within_paid'],
  ['a domain', 'alter domain account_name drop constraint account_name_check'],
  ['an index', 'create index on audit (at)'],
  ['a trigger', 'drop trigger refunds_count on refunds'],
  ['a trigger that sleeps', 'alter table refunds disable trigger refunds_count'],
  [
    'a function',
    `create or replace function refuse_change() returns trigger language plpgsql
     as 'begin return new; end'`,
  ],
  ['a policy', 'drop policy api_reads_verifying_keys on credential_versions'],
  ['row security', 'alter table refund_decisions disable row level security'],
  ['a right on a table', 'grant delete on payments to yuanlu_worker'],
  ['a right on a column', 'grant update (reserved_fen) on payments to yuanlu_worker'],
  ['a right on a function', 'grant execute on function request_refund to yuanlu_worker'],
])('%s that changes: is seen in the text', async (_, change) => {
  const client = await connectAsOwner()
  await client.query(change)
  expect(await schemaText(client)).not.toBe(await readFile(SCHEMA, 'utf8'))
})

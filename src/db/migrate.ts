import { readdir, readFile } from 'node:fs/promises'
import pg from 'pg'
import { CASE_KINDS } from '../domain/cases.js'
import { KEPT_DAYS } from '../domain/retention.js'
import { PAYMENT_EDGES, REFUND_BEGINNINGS, REFUND_EDGES, REFUND_EFFECT } from '../domain/states.js'

const MIGRATIONS = new URL('./migrations/', import.meta.url)
/** Any number, the same for every migrating process: only one of them works at a time. */
const MIGRATION_LOCK = 7_202_611

export interface MigrateOptions {
  readonly ownerUrl: string
  /** Give the roles of API and worker the passwords that stand in these addresses. */
  readonly apiUrl?: string
  readonly workerUrl?: string
}

/**
 * Brings the schema up to date: makes the two login roles, runs the numbered migrations that have
 * not run, each in its own transaction, and seeds the tables of rules from `src/domain`.
 * @throws Error naming the migration that failed; those before it stay applied.
 */
export async function migrate(options: MigrateOptions): Promise<{ applied: string[] }> {
  const client = new pg.Client({ connectionString: options.ownerUrl })
  // A connection that breaks fails the statement under way; unheard, it would end the process.
  client.on('error', () => undefined)
  await client.connect()
  try {
    await client.query('select pg_advisory_lock($1)', [MIGRATION_LOCK])
    await ensureRole(client, 'yuanlu_api', options.apiUrl)
    await ensureRole(client, 'yuanlu_worker', options.workerUrl)
    const applied = await runMigrations(client)
    await seedRules(client)
    return { applied }
  } finally {
    await client.end()
  }
}

/** The numbered files, in order: `0001-what-it-does.sql`. */
export async function migrationNames(): Promise<string[]> {
  const names = await readdir(MIGRATIONS)
  return names.filter((name) => /^\d{4}-[a-z0-9-]+\.sql$/.test(name)).toSorted()
}

async function ensureRole(client: pg.Client, role: string, url?: string): Promise<void> {
  const { rowCount } = await client.query('select from pg_roles where rolname = $1', [role])
  const name = client.escapeIdentifier(role)
  if (rowCount === 0) await client.query(`create role ${name} login`)
  const password = url === undefined ? '' : decodeURIComponent(new URL(url).password)
  if (password !== '') {
    await client.query(`alter role ${name} password ${client.escapeLiteral(password)}`)
  }
}

async function runMigrations(client: pg.Client): Promise<string[]> {
  await client.query(`create table if not exists schema_migrations (
    name text primary key, applied_at timestamptz not null default now())`)
  const done = await client.query<{ name: string }>('select name from schema_migrations')
  const known = new Set(done.rows.map((row) => row.name))
  const missing = (await migrationNames()).filter((name) => !known.has(name))
  for (const name of missing) await runMigration(client, name)
  return missing
}

async function runMigration(client: pg.Client, name: string): Promise<void> {
  const text = await readFile(new URL(name, MIGRATIONS), 'utf8')
  try {
    await client.query('begin')
    await client.query(text)
    await client.query('insert into schema_migrations (name) values ($1)', [name])
    await client.query('commit')
  } catch (error) {
    await client.query('rollback')
    throw new Error(`Migration ${name} failed: ${(error as Error).message}`, { cause: error })
  }
}

/** Makes the tables that triggers and functions look into equal to the tables of the domain. */
async function seedRules(client: pg.Client): Promise<void> {
  await client.query('begin')
  for (const [table, edges] of [
    ['payment_transitions', PAYMENT_EDGES],
    ['refund_transitions', REFUND_EDGES],
  ] as const) {
    const pairs = edgePairs(edges)
    await client.query(`delete from ${table}`)
    await client.query(
      `insert into ${table} (from_state, to_state) select * from
      unnest($1::text[], $2::text[])`,
      [pairs.map(([from]) => from), pairs.map(([, to]) => to)],
    )
  }
  await client.query('delete from refund_beginnings')
  for (const [origin, states] of Object.entries(REFUND_BEGINNINGS)) {
    await client.query('insert into refund_beginnings select $1, unnest($2::text[])', [
      origin,
      states,
    ])
  }
  await client.query('delete from refund_effects')
  await client.query(
    'insert into refund_effects (state, bucket) select * from unnest($1::text[], $2::text[])',
    [Object.keys(REFUND_EFFECT), Object.values(REFUND_EFFECT)],
  )
  // Cases refer to their kinds, so those that stay are not taken away in between.
  await client.query('delete from case_kinds where kind <> all($1::text[])', [
    Object.keys(CASE_KINDS),
  ])
  await client.query(
    `insert into case_kinds (kind, meaning) select * from unnest($1::text[], $2::text[])
     on conflict (kind) do update set meaning = excluded.meaning`,
    [Object.keys(CASE_KINDS), Object.values(CASE_KINDS).map(({ meaning }) => meaning)],
  )
  await client.query('delete from retention')
  await client.query(
    'insert into retention (what, keep_days) select * from unnest($1::text[], $2::int[])',
    [Object.keys(KEPT_DAYS), Object.values(KEPT_DAYS)],
  )
  await client.query('commit')
}

const edgePairs = (edges: Readonly<Record<string, readonly { to: string }[]>>): string[][] =>
  Object.entries(edges).flatMap(([from, list]) => list.map(({ to }) => [from, to]))

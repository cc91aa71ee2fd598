import { execFile } from 'node:child_process'
import { chmod, chown, copyFile, mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'

import pg from 'pg'

const run = promisify(execFile)
const CLUSTER = 'cluster'
const PASSWORD = 'password'
/** What a server makes anew, and the log of changes, which is kept apart (PostgreSQL, 25.3.4). */
const EMPTIED = [
  'pg_dynshmem',
  'pg_notify',
  'pg_replslot',
  'pg_serial',
  'pg_snapshots',
  'pg_stat_tmp',
  'pg_subtrans',
  'pg_wal',
] as const
const LEFT_OUT: readonly string[] = [...EMPTIED, 'postmaster.pid', 'postmaster.opts']

/**
 * Copies the data of a running server, as `pg_basebackup` does, by the functions that it uses: what
 * changes while it is copied is set right by the log of changes.
 */
export async function takeBaseBackup(
  superuserUrl: string,
  dataDir: string,
  backupDir: string,
): Promise<void> {
  const client = new pg.Client({ connectionString: superuserUrl })
  await client.connect()
  try {
    // An archive would take the log away; here the server itself keeps what is needed later.
    await client.query(`alter system set wal_keep_size = '1GB'`)
    await client.query(`select pg_reload_conf(), pg_backup_start('test', fast => true)`)
    await copyCluster(path.join(dataDir, CLUSTER), path.join(backupDir, CLUSTER))
    await copyFile(path.join(dataDir, PASSWORD), path.join(backupDir, PASSWORD))
    const { rows } = await client.query<{ labelfile: string }>(
      'select labelfile from pg_backup_stop()',
    )
    await writeAs(dataDir, path.join(backupDir, CLUSTER, 'backup_label'), rows[0]?.labelfile)
  } finally {
    await client.end()
  }
}

async function writeAs(dataDir: string, file: string, text = ''): Promise<void> {
  const { uid, gid } = await stat(path.join(dataDir, CLUSTER))
  await writeFile(file, text, { mode: 0o600 })
  await chown(file, uid, gid)
}

async function copyCluster(from: string, to: string): Promise<void> {
  const { uid, gid } = await stat(from)
  const folders = [to, ...EMPTIED.map((name) => path.join(to, name))]
  for (const folder of folders) {
    await mkdir(folder, { mode: 0o700 })
    await chown(folder, uid, gid)
  }
  const names = (await readdir(from)).filter((name) => !LEFT_OUT.includes(name))
  await run('cp', ['-a', ...names.map((name) => path.join(from, name)), to])
}

/** Adds the log of changes that a dead server left, up to its last commit. */
export async function addLog(dataDir: string, backupDir: string): Promise<void> {
  const to = path.join(backupDir, CLUSTER, 'pg_wal')
  await rm(to, { recursive: true })
  await run('cp', ['-a', path.join(dataDir, CLUSTER, 'pg_wal'), to])
  await chmod(to, 0o700)
}

import type { Database } from '../db/pool.js'
import { inSnapshot, type Snapshot, type TextRow } from '../db/snapshot.js'
import {
  balanceOf,
  BOOK_TABLES,
  dayOf,
  instantUs,
  keyOf,
  numberedEntryOf,
  sealOf,
  textColumns,
  transferOf,
  uuid,
} from './book-rows.js'
import { Findings } from './findings.js'
import type { StoredDay } from './verify-days.js'
import { checkEntry, checkTransfer, type EntrySum } from './verify-entry.js'
import { UnnumberedCheck } from './verify-unnumbered.js'
import { verifyBook, type Verdict, type VerifyOptions } from './verify.js'

const ORDER_COLUMNS = BOOK_TABLES.journal_order.length
const TRANSFER_COLUMNS = BOOK_TABLES.journal_transfers.length
const DAY_COLUMNS = BOOK_TABLES.balance_days.length

const NOW_AND_COUNTS = `select clock_timestamp()::text,
  (select count(*) from journal_transfers)::text, (select count(*) from journal_order)::text`
const KEYS = `select ${textColumns('seal_keys')} from seal_keys`
const SEALS = `select ${textColumns('seals')} from seals order by seals.seal_no`
const ENTRIES = `select ${textColumns('journal_order', 'o')},
    ${textColumns('journal_transfers', 't')}
  from journal_order o left join journal_transfers t on t.entry_id = o.entry_id
  order by o.seq, o.entry_id`
const DAYS = `select ${textColumns('balance_days', 'd')}, ${textColumns('balance_checkpoints', 'b')}
  from balance_days d left join balance_checkpoints b on b.day = d.day order by d.day`
const UNNUMBERED = `select ${textColumns('journal_transfers', 't')}, (u.entry_id is not null)::text
  from journal_transfers t left join journal_unsealed u on u.entry_id = t.entry_id
  where not exists (select from journal_order o where o.entry_id = t.entry_id)
  order by t.entry_id`
const WRONGLY_QUEUED = `select u.entry_id::text from journal_unsealed u
  where not exists (select from journal_transfers t where t.entry_id = u.entry_id)
    or exists (select from journal_order o where o.entry_id = u.entry_id)`

/** Checks the book in a database, as it is at one moment, while others go on writing. */
export async function verifyDatabase(
  database: Database,
  options: VerifyOptions = {},
): Promise<Verdict> {
  return inSnapshot(database, async (snapshot) => {
    const findings = new Findings()
    const [takenAt, transfers, entries] = await snapshot.one(NOW_AND_COUNTS)
    const waiting = await checkUnnumbered(snapshot, instantUs(takenAt), findings)
    const source = {
      transfers: Number(transfers),
      waiting,
      keys: await keysIn(snapshot),
      entries: told(entriesOf(snapshot, findings), Number(entries), options.onProgress),
      seals: mapped(snapshot.batches(SEALS), sealOf),
      days: mapped(
        grouped(snapshot.batches(DAYS), (row) => row[0] ?? ''),
        dayWithBalances,
      ),
    }
    return verifyBook(source, findings, options)
  })
}

/** @returns how many entries wait for a seal as they should. */
async function checkUnnumbered(
  snapshot: Snapshot,
  takenAtUs: bigint,
  findings: Findings,
): Promise<number> {
  const check = new UnnumberedCheck(takenAtUs, findings)
  for await (const rows of snapshot.batches(UNNUMBERED)) {
    for (const row of rows) {
      const stored = transferOf(row)
      check.add(stored.entryId, checkTransfer(stored), row[TRANSFER_COLUMNS] === 'true')
    }
  }
  for await (const rows of snapshot.batches(WRONGLY_QUEUED)) {
    for (const [entryId] of rows) check.addWronglyQueued(uuid(entryId))
  }
  return check.waiting
}

async function keysIn(snapshot: Snapshot): Promise<ReadonlyMap<string, Buffer>> {
  const keys = new Map<string, Buffer>()
  for await (const rows of snapshot.batches(KEYS)) {
    for (const { id, publicKey } of rows.map(keyOf)) keys.set(id, publicKey)
  }
  return keys
}

/** Entries with their transfers. Two entries of one number, or two numbers of one, are two. */
function entriesOf(snapshot: Snapshot, findings: Findings): AsyncGenerator<EntrySum[]> {
  const groups = grouped(snapshot.batches(ENTRIES), ([seq, , entryId]) => `${seq} ${entryId}`)
  return mapped(groups, (rows) => {
    const transfers = rows
      .map((row) => row.slice(ORDER_COLUMNS))
      // An entry without transfers comes as one row with nothing beside its number.
      .filter(([entryId]) => entryId !== null)
      .map((row) => checkTransfer(transferOf(row)))
    return checkEntry(numberedEntryOf(rows[0]), transfers, findings)
  })
}

function dayWithBalances(rows: RowGroup): StoredDay {
  const balances = rows
    .map((row) => row.slice(DAY_COLUMNS))
    .filter(([day]) => day !== null)
    .map(balanceOf)
    .map(({ account, balanceFen }) => [account, balanceFen] as const)
  return { ...dayOf(rows[0]), balances: new Map(balances) }
}

type RowGroup = readonly [TextRow, ...TextRow[]]

/** Puts together rows that follow each other and have the same key. */
async function* grouped(
  batches: AsyncIterable<readonly TextRow[]>,
  keyOfRow: (row: TextRow) => string,
): AsyncGenerator<RowGroup[]> {
  let open: [TextRow, ...TextRow[]] | undefined
  let openKey = ''
  for await (const rows of batches) {
    const closed: RowGroup[] = []
    for (const row of rows) {
      const key = keyOfRow(row)
      if (open !== undefined && key === openKey) {
        open.push(row)
        continue
      }
      if (open !== undefined) closed.push(open)
      open = [row]
      openKey = key
    }
    yield closed
  }
  if (open !== undefined) yield [open]
}

async function* mapped<From, To>(
  batches: AsyncIterable<readonly From[]>,
  convert: (each: From) => To,
): AsyncGenerator<To[]> {
  for await (const batch of batches) yield batch.map(convert)
}

/** Tells the progress by the entries that have gone by. */
async function* told(
  batches: AsyncIterable<readonly EntrySum[]>,
  total: number,
  onProgress: (done: number) => void = () => undefined,
): AsyncGenerator<readonly EntrySum[]> {
  let done = 0
  for await (const batch of batches) {
    yield batch
    done += batch.length
    onProgress(done / total)
  }
}

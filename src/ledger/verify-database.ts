import type { Database } from '../db/pool.js'
import { inSnapshot, type Snapshot, type TextRow } from '../db/snapshot.js'
import { grouped, inTurns, mapped, type Batches, type Group } from './batches.js'
import {
  auditTextOf,
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
import { checkAuditEntry, checkAuditLine } from './verify-audit.js'
import { checkEntry, checkTransfer, type EntrySum, type SealedKind } from './verify-entry.js'
import { UnnumberedCheck, type Waiting } from './verify-unnumbered.js'
import { verifyBook, type Verdict, type VerifyOptions } from './verify.js'

const ORDER_COLUMNS = BOOK_TABLES.journal_order.length
const TRANSFER_COLUMNS = BOOK_TABLES.journal_transfers.length
const AUDIT_COLUMNS = BOOK_TABLES.audit.length
const DAY_COLUMNS = BOOK_TABLES.balance_days.length

const NOW_AND_COUNTS = `select clock_timestamp()::text,
  (select count(*) from journal_transfers)::text, (select count(*) from journal_order)::text`
const KEYS = `select ${textColumns('seal_keys')} from seal_keys`
const SEALS = `select ${textColumns('seals')} from seals order by seals.seal_no`
const DAYS = `select ${textColumns('balance_days', 'd')}, ${textColumns('balance_checkpoints', 'b')}
  from balance_days d left join balance_checkpoints b on b.day = d.day order by d.day`

/** Where the rows of what is sealed stand, and those that wait. */
const PLACES = {
  entry: { table: 'journal_transfers', id: 'entry_id', queue: 'journal_unsealed' },
  audit: { table: 'audit', id: 'id', queue: 'audit_unsealed' },
} as const

const numbered = (kind: SealedKind): string => {
  const { table, id } = PLACES[kind]
  return `select ${textColumns('journal_order', 'o')}, ${textColumns(table, 't')}
    from journal_order o left join ${table} t on t.${id} = o.entry_id
    where o.kind = '${kind}' order by o.seq, o.entry_id`
}

const unnumbered = (kind: SealedKind): string => {
  const { table, id, queue } = PLACES[kind]
  return `select ${textColumns(table, 't')}, (u.${id} is not null)::text
    from ${table} t left join ${queue} u on u.${id} = t.${id}
    where not exists (select from journal_order o where o.entry_id = t.${id} and o.kind = '${kind}')
    order by t.${id}`
}

const wronglyQueued = (kind: SealedKind): string => {
  const { table, id, queue } = PLACES[kind]
  return `select u.${id}::text from ${queue} u
    where not exists (select from ${table} t where t.${id} = u.${id})
      or exists (select from journal_order o where o.entry_id = u.${id} and o.kind = '${kind}')`
}

/** Checks the book in a database, as it is at one moment, while others go on writing. */
export async function verifyDatabase(
  database: Database,
  options: VerifyOptions = {},
): Promise<Verdict> {
  return inSnapshot(database, async (snapshot) => {
    const findings = new Findings()
    const [takenAt, transfers, numbers] = await snapshot.one(NOW_AND_COUNTS)
    const waiting = await checkUnnumbered(snapshot, instantUs(takenAt), findings)
    const entries = inTurns(
      entriesOf(snapshot, findings),
      auditLinesOf(snapshot, findings),
      ({ seq }) => seq,
    )
    const source = {
      transfers: Number(transfers),
      hasAudit: true,
      waiting,
      keys: await keysIn(snapshot),
      entries: told(entries, Number(numbers), options.onProgress),
      seals: mapped(snapshot.batches(SEALS), sealOf),
      days: mapped(
        grouped(snapshot.batches(DAYS), (row) => row[0] ?? ''),
        (rows) => dayOf(rows[0], joined(rows, DAY_COLUMNS)),
      ),
    }
    return verifyBook(source, findings, options)
  })
}

async function checkUnnumbered(
  snapshot: Snapshot,
  takenAtUs: bigint,
  findings: Findings,
): Promise<Waiting> {
  const check = new UnnumberedCheck(takenAtUs, findings)
  for await (const rows of snapshot.batches(unnumbered('entry'))) {
    for (const row of rows) {
      const stored = transferOf(row)
      check.add(stored.entryId, checkTransfer(stored), row[TRANSFER_COLUMNS] === 'true')
    }
  }
  for await (const rows of snapshot.batches(unnumbered('audit'))) {
    for (const row of rows) {
      const line = auditTextOf(row)
      check.addAuditLine(line.id, checkAuditLine(line), row[AUDIT_COLUMNS] === 'true')
    }
  }
  for (const kind of ['entry', 'audit'] as const) {
    for await (const rows of snapshot.batches(wronglyQueued(kind))) {
      for (const [id] of rows) check.addWronglyQueued(kind, uuid(id))
    }
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
const entriesOf = (snapshot: Snapshot, findings: Findings): Batches<EntrySum> =>
  mapped(numberedIn(snapshot, 'entry'), (rows) => {
    const transfers = joined(rows, ORDER_COLUMNS).map((row) => checkTransfer(transferOf(row)))
    return checkEntry(numberedEntryOf(rows[0]), transfers, findings)
  })

const auditLinesOf = (snapshot: Snapshot, findings: Findings): Batches<EntrySum> =>
  mapped(numberedIn(snapshot, 'audit'), (rows) => {
    const lines = joined(rows, ORDER_COLUMNS).map((row) => checkAuditLine(auditTextOf(row)))
    return checkAuditEntry(numberedEntryOf(rows[0]), lines, findings)
  })

const numberedIn = (snapshot: Snapshot, kind: SealedKind): Batches<Group<TextRow>> =>
  grouped(snapshot.batches(numbered(kind)), ([seq, , entryId]) => `${seq} ${entryId}`)

/** What a left join put beside each row: nothing where it found nothing. */
const joined = (rows: readonly TextRow[], at: number): TextRow[] =>
  rows.filter((row) => row[at] !== null).map((row) => row.slice(at))

/** Tells the progress by what has gone by. */
async function* told(
  batches: Batches<EntrySum>,
  total: number,
  onProgress: (done: number) => void = () => undefined,
): AsyncGenerator<readonly EntrySum[]> {
  let done = 0
  for await (const batch of batches) {
    yield batch
    done += batch.length
    onProgress(done / (total || 1))
  }
}

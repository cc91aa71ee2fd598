import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Authority, KeyAndCertificate, PemKeyPair } from './authority.js'
import { issueServerCertificate, makeAuthority, makeRsaKey } from './authority.js'
import { Book } from './book.js'
import { SandboxClock } from './clock.js'
import { Courier } from './deliver.js'
import { Faults } from './faults.js'
import type { Journal, JournalLine } from './journal.js'
import { FileJournal, noJournal, readJournal, rewriteJournal } from './journal.js'
import { FIRST_MERCHANTS, makeMerchant } from './merchants.js'
import { Notifications } from './notifications.js'
import { Rates } from './rates.js'
import { Sentinels } from './sentinels.js'
import type { Listening } from './server.js'
import { listenCashier, listenHttps, listenPages } from './server.js'
import { settleWhenDue } from './settle-refund.js'
import { Timetable } from './timetable.js'
import type { World } from './world.js'

export interface SandboxOptions {
  /** HTTPS port; 0, the default, takes any free one. */
  readonly port?: number
  /** Address to listen on; 127.0.0.1 unless given. */
  readonly host?: string
  /** Names the server's certificate carries beside its own, such as a container's. */
  readonly hostNames?: readonly string[]
  /** Folder that keeps authority and book; without it they end with the process. */
  readonly dataDir?: string
  /** How many times as fast as the machine's clock the sandbox's runs; 1 unless given. */
  readonly rate?: number
  /** How long a refund takes on the sandbox's clock; 60 s unless given. */
  readonly refundDelayMs?: number
  /** Port for cashier and portal in plain HTTP; 0 takes any free one. Not served unless given. */
  readonly cashierPort?: number
  /** Serves the cashier page, and nothing else, to the whole local network in plain HTTP. */
  readonly lan?: boolean
  /** Refuses what WeChat Pay refuses but a local trial needs, such as http addresses. */
  readonly strict?: boolean
  /** Told of failures inside the sandbox; by default they go to standard error. */
  readonly reportError?: (error: unknown) => void
}

export interface Sandbox {
  readonly url: string
  /** Where the cashier page is served in plain HTTP. */
  readonly httpUrl?: string
  readonly port: number
  /** The authority's certificate, which clients must trust. */
  readonly caPem: string
  readonly caPath: string
  stop(): Promise<void>
}

/** Names that the server's certificate always carries. */
const HOST_NAMES = [
  'localhost',
  '127.0.0.1',
  'api.mch.weixin.qq.com',
  'api2.mch.weixin.qq.com',
  'api.weixin.qq.com',
] as const

const REFUND_DELAY_MS = 60_000

/**
 * Starts a WeChat Pay of its own: server, book, clock and notifications. With a data directory
 * it goes on where it was stopped: same authority, same merchants, same book, and its clock
 * never before the last thing that happened.
 */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const folder = openFolder(options.dataDir)
  const stored = options.dataDir === undefined ? [] : readJournal(join(folder.path, JOURNAL))
  const identity = await loadIdentity(stored)
  const server = await issueServerCertificate(identity.authority, [
    ...HOST_NAMES,
    ...(options.hostNames ?? []),
  ])
  const caPem = identity.authority.certPem
  const caPath = join(folder.path, 'ca.pem')
  writeFileSync(caPath, caPem)
  const running = await openWorld(options, identity, stored, folder)
  const listening = await listenAll(running.world, server, options).catch(async (error) => {
    await running.stop()
    throw error
  })
  return {
    ...listening.addresses,
    caPem,
    caPath,
    stop: async () => {
      await listening.close()
      await running.stop()
    },
  }
}

const JOURNAL = 'sandbox.jsonl'

interface Folder {
  readonly path: string
  readonly isTemporary: boolean
}

function openFolder(dataDir: string | undefined): Folder {
  if (dataDir === undefined) {
    return { path: mkdtempSync(join(tmpdir(), 'yuanlu-sandbox-')), isTemporary: true }
  }
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  return { path: dataDir, isTemporary: false }
}

/** The keys that must outlive a restart: clients trust the one and verify with the other. */
interface Identity {
  readonly authority: Authority
  readonly platformKey: PemKeyPair
}

async function loadIdentity(stored: readonly JournalLine[]): Promise<Identity> {
  const line = stored.find(({ kind }) => kind === 'identity')
  if (line) return line.value as Identity
  const [authority, platformKey] = await Promise.all([makeAuthority(), makeRsaKey()])
  return { authority, platformKey }
}

interface RunningWorld {
  readonly world: World
  stop(): Promise<void>
}

async function openWorld(
  options: SandboxOptions,
  identity: Identity,
  stored: readonly JournalLine[],
  folder: Folder,
): Promise<RunningWorld> {
  const reportError = options.reportError ?? ((error) => console.error('sandbox:', error))
  const book = new Book(noJournal)
  for (const line of stored) book.restore(line)
  const clock = new SandboxClock({ nowMs: startOf(book), rate: options.rate ?? 1 })
  const timetable = new Timetable(clock, reportError)
  const faults = new Faults()
  const caPem = identity.authority.certPem
  const courier = new Courier(caPem)
  const notifications = new Notifications({ book, clock, timetable, faults, courier })
  const world: World = {
    book,
    clock,
    timetable,
    faults,
    sentinels: new Sentinels(faults),
    notifications,
    rates: new Rates(),
    caPem,
    reportError,
    refundDelayMs: options.refundDelayMs ?? REFUND_DELAY_MS,
    isStrict: options.strict ?? false,
    makeMerchant: (ids) => makeMerchant(ids, identity.authority, identity.platformKey.publicKeyPem),
  }
  if (book.merchants.size === 0) await makeFirstMerchants(world)
  const journal = openJournal(folder, identity, book)
  book.writeTo(journal)
  resume(world)
  return { world, stop: () => stopWorld(timetable, courier, journal, folder) }
}

/** Their keys are made side by side, but they stand in the book in one order always. */
async function makeFirstMerchants(world: World): Promise<void> {
  const merchants = await Promise.all(FIRST_MERCHANTS.map((ids) => world.makeMerchant(ids)))
  for (const merchant of merchants) world.book.putMerchant(merchant)
}

function openJournal(folder: Folder, identity: Identity, book: Book): Journal {
  if (folder.isTemporary) return noJournal
  const path = join(folder.path, JOURNAL)
  rewriteJournal(path, [{ kind: 'identity', value: identity }, ...book.lines()])
  return new FileJournal(path)
}

/** The machine's time, or later if the book already knows of something later. */
function startOf(book: Book): number {
  let latestMs = Date.now()
  for (const order of book.orders()) {
    latestMs = Math.max(latestMs, order.createdAtMs, order.paidAtMs ?? 0)
  }
  for (const refund of book.refunds()) {
    latestMs = Math.max(latestMs, refund.createdAtMs, refund.endedAtMs ?? 0)
  }
  for (const { tries } of book.notifications.values()) {
    latestMs = Math.max(latestMs, tries.at(-1)?.atMs ?? 0)
  }
  return latestMs
}

function resume(world: World): void {
  for (const refund of world.book.refunds()) {
    if (refund.status === 'PROCESSING') settleWhenDue(refund, world)
  }
  world.notifications.resume()
}

async function stopWorld(
  timetable: Timetable,
  courier: Courier,
  journal: Journal,
  folder: Folder,
): Promise<void> {
  courier.close()
  await timetable.stop()
  journal.close()
  if (folder.isTemporary) rmSync(folder.path, { recursive: true, force: true })
}

interface ListeningAll {
  readonly addresses: Pick<Sandbox, 'url' | 'httpUrl' | 'port'>
  close(): Promise<void>
}

async function listenAll(
  world: World,
  server: KeyAndCertificate,
  options: SandboxOptions,
): Promise<ListeningAll> {
  const host = options.host ?? '127.0.0.1'
  const main = await listenHttps(world, server, { host, port: options.port ?? 0 })
  const url = `https://127.0.0.1:${main.port}`
  if (options.cashierPort === undefined && !options.lan) {
    return { addresses: { url, port: main.port }, close: () => main.close() }
  }
  const cashier = await listenCashierFor(world, options, main)
  const httpUrl = `http://${options.lan ? lanAddress() : '127.0.0.1'}:${cashier.port}`
  return {
    addresses: { url, httpUrl, port: main.port },
    close: async () => {
      await Promise.all([main.close(), cashier.close()])
    },
  }
}

async function listenCashierFor(
  world: World,
  options: SandboxOptions,
  main: Listening,
): Promise<Listening> {
  const host = options.lan ? '0.0.0.0' : '127.0.0.1'
  try {
    const listenFor = options.lan ? listenCashier : listenPages
    return await listenFor(world, { host, port: options.cashierPort ?? 0 })
  } catch (error) {
    await main.close()
    throw error
  }
}

/** The first address of this machine that a phone in the same network can reach. */
function lanAddress(): string {
  const addresses = Object.values(networkInterfaces()).flatMap((found) => found ?? [])
  const reachable = addresses.find((found) => found.family === 'IPv4' && !found.internal)
  return reachable?.address ?? '127.0.0.1'
}

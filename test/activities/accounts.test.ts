import { describe, expect, onTestFinished, test, vi } from 'vitest'

import { Accounts, type AccountsOptions } from '../../src/activities/accounts.js'
import { insertCredential } from '../../src/db/credentials.js'
import { failureOf } from '../support/run-activity.js'
import { useWorkshop } from '../support/workshop.js'
import { startConnectProxy } from '../wechat/support/connect-proxy.js'

const workshop = useWorkshop()
const { clock } = workshop
const FRESH_MS = 30_000

const sandbox = { baseUrl: 'https://127.0.0.1:1' }

function openAccounts(options: Partial<AccountsOptions> = {}): Accounts {
  const { worker: database, envelope } = workshop.seed
  const liveBaseUrl = 'https://127.0.0.1:2'
  const accounts = new Accounts({ database, envelope, clock, liveBaseUrl, sandbox, ...options })
  onTestFinished(() => accounts.close())
  return accounts
}

let version = 0

/** Adds the next version of the account's key, as the owner's command does. */
async function rotateKey(): Promise<void> {
  const { owner, envelope, account } = workshop.seed
  version += 1
  const credential = { accountId: account.id, kind: 'v2_key', version, notAfter: null } as const
  const secret = `${version}`.repeat(32)
  await insertCredential(owner, envelope, { ...credential, secret, now: clock.now() })
}

/** Turns the account into one of real money and back. */
async function setMode(mode: 'live' | 'sandbox'): Promise<void> {
  const { seed } = workshop
  await seed.look('update channel_accounts set mode = $1 where id = $2', mode, seed.account.id)
}

describe('accounts', () => {
  test('without a key: the account cannot be opened, and later it can', async () => {
    const accounts = openAccounts()
    const { account } = workshop.seed
    expect(await failureOf(accounts.open(account.id))).toMatchObject({ type: 'NO_CREDENTIALS' })
    await rotateKey()
    expect(await accounts.open(account.id)).toMatchObject({ account })
  })

  test('opened again: is the same channel while nothing about it changes', async () => {
    const accounts = openAccounts()
    const { id } = workshop.seed.account
    const first = await accounts.open(id)
    expect((await accounts.open(id)).channel).toBe(first.channel)
    clock.advance(FRESH_MS + 1)
    expect((await accounts.open(id)).channel).toBe(first.channel)
  })

  test('opened by many at once: is opened once', async () => {
    const accounts = openAccounts()
    const { id } = workshop.seed.account
    const opened = await Promise.all(Array.from({ length: 20 }, () => accounts.open(id)))
    expect(new Set(opened.map(({ channel }) => channel)).size).toBe(1)
  })

  test('a key that was replaced: is used within half a minute', async () => {
    const accounts = openAccounts()
    const { id } = workshop.seed.account
    const first = await accounts.open(id)
    await rotateKey()
    expect((await accounts.open(id)).channel).toBe(first.channel)
    clock.advance(FRESH_MS)
    const opened = await Promise.all(Array.from({ length: 20 }, () => accounts.open(id)))
    expect(new Set(opened.map(({ channel }) => channel)).size).toBe(1)
    expect(opened[0]?.channel).not.toBe(first.channel)
  })

  test('a row that cannot be read now: leaves the channel open, for when it can', async () => {
    const { worker, account } = workshop.seed
    const accounts = openAccounts()
    const first = await accounts.open(account.id)
    clock.advance(FRESH_MS)
    const rows = vi.spyOn(worker, 'rows')
    onTestFinished(() => rows.mockRestore())
    rows.mockRejectedValueOnce(new Error('The database is away.'))
    await expect(accounts.open(account.id)).rejects.toThrow('away')
    expect((await accounts.open(account.id)).channel).toBe(first.channel)
  })

  test('an account of real money: is reached through the proxy, by both hosts', async () => {
    const proxy = await startConnectProxy()
    onTestFinished(() => proxy.close())
    proxy.behaviour = 'refuse'
    const liveRoute = { backupUrl: 'https://127.0.0.1:3', proxyUrl: proxy.url }
    const times = { connectMs: 2_000, answerMs: 2_000 }
    const timeouts = { waiting: times, background: times }
    const { account } = workshop.seed
    const order = { appId: account.appIds[0] ?? '', outTradeNo: 'T20260101000001' }
    const ask = async (accounts: Accounts) => {
      const { channel } = await accounts.open(account.id)
      return channel.queryOrder(order, { urgency: 'waiting' })
    }
    await ask(openAccounts({ liveRoute, timeouts }))
    expect(proxy.asked).toEqual([])
    await setMode('live')
    expect(await ask(openAccounts({ liveRoute, timeouts }))).toMatchObject({ kind: 'unknown' })
    await setMode('sandbox')
    expect(proxy.asked.map(({ target }) => target)).toEqual(['127.0.0.1:2', '127.0.0.1:3'])
  })

  test('a sandbox account where no sandbox is known: is not sent anywhere', async () => {
    const { worker: database, envelope } = workshop.seed
    const liveBaseUrl = 'https://127.0.0.1:2'
    const accounts = new Accounts({ database, envelope, clock, liveBaseUrl })
    onTestFinished(() => accounts.close())
    expect(await failureOf(accounts.open(workshop.seed.account.id))).toMatchObject({
      type: 'NO_SUCH_ROW',
    })
  })

  test('an account of nowhere: is not opened', async () => {
    const nowhere = '00000000-0000-7000-8000-000000000000'
    expect(await failureOf(openAccounts().open(nowhere))).toMatchObject({ type: 'NO_SUCH_ROW' })
  })
})

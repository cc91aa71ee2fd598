import { describe, expect, onTestFinished, test } from 'vitest'

import { Accounts, type AccountsOptions } from '../../src/activities/accounts.js'
import { insertCredential } from '../../src/db/credentials.js'
import { failureOf } from '../support/run-activity.js'
import { useWorkshop } from '../support/workshop.js'

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

describe('accounts', () => {
  test('without a key: the account cannot be opened, and later it can', async () => {
    const accounts = openAccounts()
    const { account } = workshop.seed
    expect(await failureOf(accounts.open(account.id))).toMatchObject({ type: 'NO_SUCH_ROW' })
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

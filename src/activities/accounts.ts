import { createHash } from 'node:crypto'
import { activeCredentials } from '../db/credentials.js'
import type { Envelope } from '../db/envelope.js'
import { findAccount, type AccountRow } from '../db/merchants.js'
import type { Database } from '../db/pool.js'
import {
  createWeChatChannel,
  type CallReport,
  type WeChatAccount,
  type WeChatChannel,
} from '../wechat/channel.js'
import type { Clock, OpenAccount } from './dependencies.js'
import { noCredentials, noSuchRow } from './failures.js'
import { atOrderRates } from './order-rates.js'

/** How long an account's row and secrets are believed before they are read again. */
const FRESH_MS = 30_000
const CONNECTIONS_PER_ACCOUNT = 32

export interface AccountsOptions {
  readonly database: Database
  readonly envelope: Envelope
  readonly clock: Clock
  /** The channel's address for accounts of real money. */
  readonly liveBaseUrl: string
  /** How accounts of real money reach it: by another site, through a proxy. */
  readonly liveRoute?: Pick<WeChatAccount, 'backupUrl' | 'proxyUrl'>
  readonly timeouts?: NonNullable<WeChatAccount['timeouts']>
  /** The sandbox's address and authority, for accounts whose mode is `sandbox`. */
  readonly sandbox?: { readonly baseUrl: string; readonly caPem?: string }
  readonly onCall?: (report: CallReport & { readonly accountId: string }) => void
}

interface Entry {
  readonly fingerprint: string
  readonly open: OpenAccount & { readonly channel: WeChatChannel }
  readAt: number
}

/** The open channels of one worker, one connection pool per account; secrets never leave it. */
export class Accounts {
  readonly #options: AccountsOptions
  readonly #entries = new Map<string, Promise<Entry>>()

  constructor(options: AccountsOptions) {
    this.#options = options
  }

  /** Opens the channel of an account, or answers the open one when nothing about it changed. */
  async open(accountId: string): Promise<OpenAccount> {
    const known = this.#entries.get(accountId)
    const entry = await known
    if (entry !== undefined && this.#now() - entry.readAt < FRESH_MS) return entry.open
    if (this.#entries.get(accountId) !== known) return this.open(accountId)
    const refreshed = this.#refresh(accountId, entry)
    this.#entries.set(accountId, refreshed)
    // What was open stays, to be looked at again: nobody else would close its connections.
    refreshed.catch(() => {
      if (known === undefined) this.#entries.delete(accountId)
      else this.#entries.set(accountId, known)
    })
    return (await refreshed).open
  }

  async close(): Promise<void> {
    const entries = await Promise.allSettled(this.#entries.values())
    this.#entries.clear()
    await Promise.all(
      entries.map(async (entry) => {
        if (entry.status === 'fulfilled') await entry.value.open.channel.close()
      }),
    )
  }

  async #refresh(accountId: string, before: Entry | undefined): Promise<Entry> {
    const { database, envelope } = this.#options
    const account = await findAccount(database, accountId)
    if (account === undefined) throw noSuchRow('channel account', accountId)
    const secret = (kind: 'v2_key' | 'merchant_certificate' | 'merchant_private_key') =>
      activeCredentials(database, envelope, accountId, kind).then(([newest]) => newest)
    const [apiV2Key, certPem, keyPem] = await Promise.all([
      secret('v2_key'),
      secret('merchant_certificate'),
      secret('merchant_private_key'),
    ])
    const fingerprint = createHash('sha256')
      .update(JSON.stringify([account, apiV2Key, certPem, keyPem]))
      .digest('hex')
    if (before?.fingerprint === fingerprint) return { ...before, readAt: this.#now() }
    const channel = this.#connect(account, { apiV2Key, certPem, keyPem })
    void before?.open.channel.close()
    return { fingerprint, open: { account, channel }, readAt: this.#now() }
  }

  #connect(
    account: AccountRow,
    secrets: Readonly<Record<'apiV2Key' | 'certPem' | 'keyPem', string | undefined>>,
  ): WeChatChannel {
    const { liveBaseUrl, liveRoute, sandbox, timeouts, onCall } = this.#options
    const { apiV2Key, certPem, keyPem } = secrets
    if (apiV2Key === undefined) throw noCredentials(account.id)
    const live = { ...liveRoute, baseUrl: liveBaseUrl }
    const peer = account.mode === 'live' ? live : sandbox
    if (peer === undefined) throw noSuchRow('sandbox address for channel account', account.id)
    const clientCertificate = certPem && keyPem ? { certPem, keyPem } : undefined
    const channel = createWeChatChannel(
      {
        mchId: account.mchId,
        apiV2Key,
        signType: account.signType,
        opUserId: account.opUserId,
        connections: CONNECTIONS_PER_ACCOUNT,
        ...peer,
        ...(timeouts === undefined ? {} : { timeouts }),
        ...(clientCertificate === undefined ? {} : { clientCertificate }),
      },
      { onCall: (report) => onCall?.({ ...report, accountId: account.id }) },
    )
    return atOrderRates(channel)
  }

  #now(): number {
    return this.#options.clock.now().getTime()
  }
}

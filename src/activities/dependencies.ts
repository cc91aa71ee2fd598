import type { Channel } from '../domain/channel.js'
import type { Envelope } from '../db/envelope.js'
import type { AccountRow } from '../db/merchants.js'
import type { Database } from '../db/pool.js'

/** Business time; SQL gets its instant from here as a parameter. */
export interface Clock {
  now(): Date
}

/** A channel account with the open channel behind it. */
export interface OpenAccount {
  readonly account: AccountRow
  readonly channel: Channel
}

/** What activities are made of; only the worker's composition root constructs it. */
export interface ActivityDependencies {
  readonly database: Database
  readonly envelope: Envelope
  readonly clock: Clock
  /** What notify URLs start with: the public base URL of the API. */
  readonly notifyBaseUrl: string
  /** Opens the channel of an account, or answers the one that is open. */
  readonly openAccount: (accountId: string) => Promise<OpenAccount>
}

import { activeCredentials } from '../db/credentials.js'
import type { Envelope } from '../db/envelope.js'
import { accountsOf, findAccount, findAccountByToken, type AccountRow } from '../db/merchants.js'
import type { Database } from '../db/pool.js'
import { Remembered } from './remembered.js'

/** How long an account's row and verifying keys are believed before they are read again. */
const FRESH_MS = 10_000

/** A channel account with the keys that verify and sign for it, newest first. */
export interface KeyedAccount {
  readonly account: AccountRow
  readonly apiV2Keys: readonly string[]
}

/** The channel accounts as the API knows them: read once, then remembered for a short time. */
export class AccountBook {
  readonly #db: Database
  readonly #envelope: Envelope
  readonly #byId: Remembered<KeyedAccount | undefined>
  readonly #byToken: Remembered<KeyedAccount | undefined>
  readonly #byMerchant: Remembered<readonly KeyedAccount[]>

  constructor(db: Database, envelope: Envelope, freshMs: number = FRESH_MS) {
    this.#db = db
    this.#envelope = envelope
    this.#byId = new Remembered(freshMs)
    this.#byToken = new Remembered(freshMs)
    this.#byMerchant = new Remembered(freshMs)
  }

  async byId(id: string): Promise<KeyedAccount | undefined> {
    return this.#byId.get(id, async () => this.#keyed(await findAccount(this.#db, id)))
  }

  /** The account behind a notify URL. */
  async byToken(token: string): Promise<KeyedAccount | undefined> {
    return this.#byToken.get(token, async () =>
      this.#keyed(await findAccountByToken(this.#db, token)),
    )
  }

  /** The accounts of a merchant, oldest first. */
  async ofMerchant(merchantId: string): Promise<readonly KeyedAccount[]> {
    return this.#byMerchant.get(merchantId, async () => {
      const accounts = await accountsOf(this.#db, merchantId)
      return Promise.all(accounts.map((account) => this.#withKeys(account)))
    })
  }

  async #keyed(account: AccountRow | undefined): Promise<KeyedAccount | undefined> {
    return account === undefined ? undefined : this.#withKeys(account)
  }

  async #withKeys(account: AccountRow): Promise<KeyedAccount> {
    const apiV2Keys = await activeCredentials(this.#db, this.#envelope, account.id, 'v2_key')
    return { account, apiV2Keys }
  }
}

import type { Book } from './book.js'
import type { SandboxClock } from './clock.js'
import type { Faults } from './faults.js'
import type { Notifications } from './notifications.js'
import type { Rates } from './rates.js'
import type { Merchant } from './records.js'
import type { Sentinels } from './sentinels.js'
import type { Timetable } from './timetable.js'

/** The parts of one running sandbox, handed to whatever acts in it. */
export interface World {
  readonly book: Book
  readonly clock: SandboxClock
  readonly timetable: Timetable
  readonly faults: Faults
  readonly sentinels: Sentinels
  readonly notifications: Notifications
  readonly rates: Rates
  readonly caPem: string
  /** How long a refund takes on the sandbox's clock. */
  readonly refundDelayMs: number
  /** Whether refused is what WeChat Pay refuses but a local trial needs, such as http. */
  readonly isStrict: boolean
  /** Makes keys and certificate; the caller puts the merchant into the book. */
  makeMerchant(ids: { mchId: string; appId: string }): Promise<Merchant>
  reportError(error: unknown): void
}

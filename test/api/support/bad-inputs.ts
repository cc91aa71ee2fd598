import { BAD_CALLS } from './bad-calls.js'
import type { BadInput } from './bad-input.js'
import { BAD_NOTIFICATIONS } from './bad-notifications.js'
import { BAD_ORDERS } from './bad-orders.js'
import { BAD_REFUNDS } from './bad-refunds.js'

/**
 * Every bad input as a row: docs/reference/errors.md shows this table, and a test sends each of
 * its requests. Rows import nothing of ours at run time, so that the page can be made from them.
 */
export const BAD_INPUTS: readonly BadInput[] = [
  ...BAD_ORDERS,
  ...BAD_REFUNDS,
  ...BAD_CALLS,
  ...BAD_NOTIFICATIONS,
]

import { condition, defineSignal, proxyActivities, setHandler } from '@temporalio/workflow'
import type { BaselineActivities } from './activities.js'

/**
 * The usual shape of a payment on Temporal, as samples teach it: an activity places the order, a
 * signal or a timer ends the waiting, an activity books it. It keeps no book and speaks to nobody.
 */
export const notified = defineSignal('notified')

const { place, book } = proxyActivities<BaselineActivities>({ startToCloseTimeout: '10 s' })

export async function baselinePayment(orderId: string): Promise<string> {
  let isNotified = false
  setHandler(notified, () => {
    isNotified = true
  })
  await place(orderId)
  await condition(() => isNotified, '15 min')
  return book(orderId)
}

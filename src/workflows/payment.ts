import {
  allHandlersFinished,
  condition,
  proxyActivities,
  proxyLocalActivities,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow'
import type { Activities } from '../activities/index.js'
import type { PaymentProgress } from '../activities/progress.js'
import { wechatTaskQueue } from '../domain/ids.js'
import { isPaymentOver } from '../domain/states.js'
import { paymentDetails } from './details.js'
import {
  factSignal,
  prepayUpdate,
  SEARCH_ATTRIBUTES,
  type PaymentInput,
  type PaymentResult,
} from './messages.js'
import { CHANNEL, CLOSE_AGAIN_MS, DATABASE, QUICK_TRY } from './policies.js'

const database = proxyLocalActivities<Activities>(DATABASE)
const quick = proxyLocalActivities<Activities>(QUICK_TRY)

/** What the timer is called in the Temporal UI. */
const CLOSING = { summary: '到期关单 closes unpaid' }

/**
 * Takes one payment: places the order, waits for a fact about it, and closes it at its expiry.
 * Facts and amounts stand in the database; what is passed here are ids.
 */
export async function paymentWorkflow(input: PaymentInput): Promise<PaymentResult> {
  const { paymentId } = input
  const channel = proxyActivities<Activities>({ ...CHANNEL, taskQueue: channelQueue() })
  let progress: PaymentProgress | undefined
  let factWaits = false

  setHandler(factSignal, () => {
    factWaits = true
  })
  // An update typed by hand may carry nothing at all; an error here would stall the payment.
  setHandler(prepayUpdate, async (request: { readonly again?: boolean } | undefined) => {
    if (progress === undefined) await condition(() => progress !== undefined)
    const answer = request?.again === true ? await channel.placePayment(paymentId) : progress
    return { state: answer?.state ?? 'created' }
  })

  progress = input.resume
    ? await database.loadPayment(paymentId)
    : await place(paymentId, input.closesInMs)
  // The clock of a history and the clock of the database are never compared: only durations pass.
  let closesAt = Date.now() + progress.closesInMs
  for (;;) {
    setCurrentDetails(paymentDetails(progress))
    if (factWaits) {
      factWaits = false
      progress = await database.settlePayment(paymentId)
      continue
    }
    if (isPaymentOver(progress.state)) break
    const leftMs = closesAt - Date.now()
    const woken = leftMs > 0 && (await condition(() => factWaits, leftMs, CLOSING))
    if (!woken) {
      closesAt = Date.now() + CLOSE_AGAIN_MS
      await channel.queryThenClose(paymentId)
      factWaits = true
    }
  }
  if (progress.attention !== null) {
    upsertSearchAttributes([{ key: SEARCH_ATTRIBUTES.attention, value: progress.attention }])
  }
  if (!allHandlersFinished()) await condition(allHandlersFinished)
  return { state: progress.state }
}

/**
 * Places the order: one quick try, then the channel's own queue with the same stored request, for
 * as long as the payment is open. What is unknown at its end the closing finds out.
 */
async function place(paymentId: string, closesInMs: number): Promise<PaymentProgress> {
  try {
    return await quick.placePayment(paymentId)
  } catch {
    const patient = proxyActivities<Activities>({
      ...CHANNEL,
      taskQueue: channelQueue(),
      scheduleToCloseTimeout: Math.max(closesInMs, 1),
    })
    return patient.placePayment(paymentId).catch(() => database.loadPayment(paymentId))
  }
}

function channelQueue(): string {
  return wechatTaskQueue(workflowInfo().taskQueue)
}

import {
  allHandlersFinished,
  CancellationScope,
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
import { failPoints } from '../domain/fail-points.js'
import { wechatTaskQueue } from '../domain/ids.js'
import { isPaymentOver } from '../domain/states.js'
import { paymentDetails } from './details.js'
import {
  askUpdate,
  factSignal,
  prepayUpdate,
  SEARCH_ATTRIBUTES,
  type AskRequest,
  type AskResult,
  type PaymentInput,
  type PaymentResult,
} from './messages.js'
import { CHANNEL, CLOSE_AGAIN_MS, DATABASE, PROMPT, QUICK_TRY } from './policies.js'
import { steps } from './steps.js'
import { hasChange } from './versions.js'

const AT = failPoints('paymentWorkflow', ['fact', 'prepay', 'ask'])
const onDatabase = steps('paymentWorkflow.database', ['loadPayment', 'settlePayment'])
const asQuickTry = steps('paymentWorkflow.quick', ['placePayment'])
const onChannel = steps('paymentWorkflow.channel', ['placePayment', 'queryThenClose'])
const asPrompt = steps('paymentWorkflow.prompt', ['askPayment'])

const database = onDatabase(proxyLocalActivities<Activities>(DATABASE))
const quick = asQuickTry(proxyLocalActivities<Activities>(QUICK_TRY))

/** What the timer is called in the Temporal UI. */
const CLOSING = { summary: '到期关单 closes unpaid' }

/**
 * Takes one payment: places the order, waits for a fact about it, and closes it at its expiry.
 * Facts and amounts stand in the database; what is passed here are ids.
 */
export async function paymentWorkflow(input: PaymentInput): Promise<PaymentResult> {
  const run = new PaymentRun(input.paymentId)
  run.listen()
  await run.begin(input)
  return run.untilOver()
}

/** One run of the workflow: what was said to it and what it knows. */
class PaymentRun {
  readonly #paymentId: string
  readonly #channel = onChannel(
    proxyActivities<Activities>({ ...CHANNEL, taskQueue: channelQueue() }),
  )
  readonly #prompt = asPrompt(proxyActivities<Activities>({ ...PROMPT, taskQueue: channelQueue() }))
  #progress: PaymentProgress | undefined
  #factWaits = false
  /** Nothing is being placed in a run that began from its row. */
  #beganResumed = false

  constructor(paymentId: string) {
    this.#paymentId = paymentId
  }

  listen(): void {
    setHandler(factSignal, () => {
      AT.fact(() => (this.#factWaits = true))
    })
    // An update typed by hand may carry nothing at all; an error here would stall the payment.
    setHandler(prepayUpdate, (request: { readonly again?: boolean } | undefined) =>
      AT.prepay(() => this.#prepay(request?.again === true)),
    )
    setHandler(askUpdate, (request: AskRequest | undefined) =>
      AT.ask(() => this.#ask(request?.purpose === 'close' ? 'close' : 'query')),
    )
  }

  async begin({ resume, closesInMs }: PaymentInput): Promise<void> {
    this.#beganResumed = resume
    this.#progress = resume
      ? await database.loadPayment(this.#paymentId)
      : await this.#place(closesInMs)
  }

  async untilOver(): Promise<PaymentResult> {
    // The clock of a history and the clock of the database are never compared: only durations pass.
    let closesAt = Date.now() + this.#known().closesInMs
    for (;;) {
      setCurrentDetails(paymentDetails(this.#known()))
      if (this.#factWaits) {
        await this.#settle()
        continue
      }
      if (this.#isOver()) {
        if (allHandlersFinished()) break
        await condition(() => this.#factWaits || allHandlersFinished())
        continue
      }
      const leftMs = closesAt - Date.now()
      const woken = leftMs > 0 && (await condition(() => this.#isWoken(), leftMs, CLOSING))
      if (!woken) {
        closesAt = Date.now() + CLOSE_AGAIN_MS
        await this.#close()
      }
    }
    const { state, attention } = this.#known()
    if (attention !== null) {
      upsertSearchAttributes([{ key: SEARCH_ATTRIBUTES.attention, value: attention }])
    }
    return { state }
  }

  /**
   * Has the channel asked, and the order closed, for as long as that takes. What is known by then
   * in another way is settled at once, and may be the end of it.
   */
  async #close(): Promise<void> {
    const scope = new CancellationScope()
    let hasEnded = false
    const closing = scope
      .run(() => this.#channel.queryThenClose(this.#paymentId))
      .finally(() => (hasEnded = true))
    // Heard below, where it is waited for.
    closing.catch(() => undefined)
    for (;;) {
      await condition(() => hasEnded || this.#isWoken())
      if (hasEnded || !hasChange('settle-while-closing')) break
      if (this.#factWaits) await this.#settle()
      if (this.#isOver()) return scope.cancel()
    }
    await closing
    this.#factWaits = true
  }

  async #settle(): Promise<void> {
    this.#factWaits = false
    this.#progress = await database.settlePayment(this.#paymentId)
  }

  async #prepay(again: boolean): Promise<PaymentResult> {
    if (this.#progress === undefined) await condition(() => this.#progress !== undefined)
    const { state } = this.#known()
    // A run that began from a row which nobody had placed does it now, since somebody asks.
    const isUnplaced = this.#beganResumed && state === 'created'
    const places = again || (isUnplaced && hasChange('place-when-asked'))
    if (!places) return { state }
    const answer = await this.#channel.placePayment(this.#paymentId)
    if (!this.#isOver()) this.#progress = answer
    return { state: answer.state }
  }

  /** Settled before it is answered, so that whoever asked finds the row as the channel says. */
  async #ask(purpose: 'query' | 'close'): Promise<AskResult> {
    const answer = await this.#prompt
      .askPayment(this.#paymentId, purpose)
      .catch(() => ({ said: 'unknown', isNews: false }) as const)
    if (answer.isNews) await this.#settle()
    return { said: answer.said }
  }

  /**
   * Places the order: one quick try, then the channel's own queue with the same stored request, for
   * as long as the payment is open. What is unknown at its end the closing finds out.
   */
  async #place(closesInMs: number): Promise<PaymentProgress> {
    try {
      return await quick.placePayment(this.#paymentId)
    } catch {
      return this.#placePatiently(closesInMs)
    }
  }

  /** A fact that comes meanwhile is settled at once, and one that ends the payment ends placing. */
  async #placePatiently(closesInMs: number): Promise<PaymentProgress> {
    const patient = onChannel(
      proxyActivities<Activities>({
        ...CHANNEL,
        taskQueue: channelQueue(),
        scheduleToCloseTimeout: Math.max(closesInMs, 1),
      }),
    )
    const scope = new CancellationScope()
    let placed: PaymentProgress | undefined
    let hasFailed = false
    scope
      .run(() => patient.placePayment(this.#paymentId))
      .then(
        (progress) => (placed = progress),
        () => (hasFailed = true),
      )
    for (;;) {
      await condition(() => placed !== undefined || hasFailed || this.#isWoken())
      if (placed !== undefined) return placed
      if (hasFailed) return database.loadPayment(this.#paymentId)
      if (this.#factWaits) await this.#settle()
      if (this.#isOver()) {
        scope.cancel()
        return this.#known()
      }
    }
  }

  #known(): PaymentProgress {
    return this.#progress ?? { state: 'created', attention: null, closesInMs: 0 }
  }

  #isOver(): boolean {
    return isPaymentOver(this.#known().state)
  }

  #isWoken(): boolean {
    return this.#factWaits || this.#isOver()
  }
}

function channelQueue(): string {
  return wechatTaskQueue(workflowInfo().taskQueue)
}

import {
  WithStartWorkflowOperation,
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
  type Client,
  type WorkflowStartOptions,
} from '@temporalio/client'
import { adoptWorkflowId, paymentWorkflowId, refundWorkflowId } from '../domain/ids.js'
import type { AdoptedOutcome, Adoption } from '../domain/adoption.js'
import { fen, formatYuan } from '../domain/money.js'
import type { RefundSubject } from '../domain/refund.js'
import {
  ADOPT_WORKFLOW,
  askUpdate,
  decideSignal,
  factSignal,
  kickSignal,
  PAYMENT_WORKFLOW,
  prepayUpdate,
  REFUND_WORKFLOW,
  SEARCH_ATTRIBUTES,
  type AskResult,
  type PaymentInput,
  type RefundInput,
} from '../workflows/messages.js'

/** What is told of a payment when its workflow starts: nothing that names a person. */
export interface PaymentSubject {
  readonly id: string
  readonly merchantId: string
  readonly outTradeNo: string
  readonly orderRef: string | null
  readonly totalFen: number
  readonly expiresAt: Date
}

type Unsent = Omit<WorkflowStartOptions, 'args' | 'workflowIdReusePolicy'>

const CREATE = 'REJECT_DUPLICATE'
const RESUME = 'ALLOW_DUPLICATE'

/**
 * Starts workflows and sends them messages, by one id policy: a creation never runs twice, and
 * whoever finds a workflow ended starts it again from its row (`resume`).
 */
export class Engine {
  readonly #client: Client
  readonly #taskQueue: string

  constructor(client: Client, taskQueue: string) {
    this.#client = client
    this.#taskQueue = taskQueue
  }

  /**
   * Starts the workflow of a new payment and waits until its order is placed, at most `timeoutMs`.
   * Repeating it is harmless.
   * @returns `answered`, or `late` when the placing goes on and the row will tell
   * @throws the client's error when the engine cannot be reached
   */
  async placePayment(
    payment: PaymentSubject,
    closesInMs: number,
    timeoutMs: number,
  ): Promise<'answered' | 'late'> {
    const input: PaymentInput = { paymentId: payment.id, closesInMs, resume: false }
    const start = new WithStartWorkflowOperation(PAYMENT_WORKFLOW, {
      ...this.#payment(payment),
      args: [input],
      workflowIdReusePolicy: CREATE,
      workflowIdConflictPolicy: 'USE_EXISTING',
    })
    return this.#answered(timeoutMs, () =>
      this.#client.workflow.executeUpdateWithStart(prepayUpdate, {
        startWorkflowOperation: start,
        args: [{ again: false }],
        updateId: 'place',
      }),
    )
  }

  /** Has a running payment's stored request placed again, for a prepay_id that grew old. */
  async placeAgain(
    payment: PaymentSubject,
    updateId: string,
    timeoutMs: number,
  ): Promise<'answered' | 'late'> {
    const handle = this.#client.workflow.getHandle(
      paymentWorkflowId(payment.merchantId, payment.outTradeNo),
    )
    return this.#answered(timeoutMs, () =>
      handle.executeUpdate(prepayUpdate, { args: [{ again: true }], updateId }),
    )
  }

  /**
   * Has the channel asked about a payment now and waits for what it says, at most `timeoutMs`. A
   * workflow that has ended goes on from its row for it.
   * @returns what the channel said, or `late` when that is not known in time
   */
  async askPayment(
    payment: PaymentSubject,
    asking: {
      readonly purpose: 'query' | 'close'
      readonly updateId: string
      readonly timeoutMs: number
    },
  ): Promise<AskResult['said'] | 'late'> {
    const { purpose, updateId, timeoutMs } = asking
    const start = new WithStartWorkflowOperation(PAYMENT_WORKFLOW, {
      ...this.#payment(payment),
      args: [{ paymentId: payment.id, closesInMs: 0, resume: true } satisfies PaymentInput],
      workflowIdReusePolicy: RESUME,
      workflowIdConflictPolicy: 'USE_EXISTING',
    })
    try {
      const { said } = await this.#client.withDeadline(Date.now() + timeoutMs, () =>
        this.#client.workflow.executeUpdateWithStart(askUpdate, {
          startWorkflowOperation: start,
          args: [{ purpose }],
          updateId,
        }),
      )
      return said
    } catch (error) {
      if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError) return 'late'
      throw error
    }
  }

  /**
   * Has a payment taken over that was made before this engine, and waits for the outcome, at most
   * `timeoutMs`. Who asks for the same meanwhile joins the same taking over.
   */
  async adoptPayment(
    merchantId: string,
    adoption: Adoption,
    timeoutMs: number,
  ): Promise<AdoptedOutcome | { readonly outcome: 'late' }> {
    const { order } = adoption
    const number = 'outTradeNo' in order ? order.outTradeNo : order.transactionId
    const handle = await this.#client.workflow.start(ADOPT_WORKFLOW, {
      workflowId: adoptWorkflowId(merchantId, number),
      taskQueue: this.#taskQueue,
      args: [adoption],
      staticSummary: `接管 ${number}`,
      typedSearchAttributes: [{ key: SEARCH_ATTRIBUTES.merchant, value: merchantId }],
      workflowIdReusePolicy: RESUME,
      workflowIdConflictPolicy: 'USE_EXISTING',
    })
    const late = new Promise<{ outcome: 'late' }>((resolve) => {
      setTimeout(() => resolve({ outcome: 'late' }), timeoutMs).unref()
    })
    return Promise.race([handle.result() as Promise<AdoptedOutcome>, late])
  }

  /**
   * Starts the workflow of a new refund, which waits for a decision unless the merchant's rules
   * have approved it. Repeating it is harmless.
   */
  async startRefund(refund: RefundSubject, decideInMs: number, isApproved = false): Promise<void> {
    const input: RefundInput = {
      refundId: refund.id,
      decideInMs,
      resume: false,
      ...(isApproved ? { isApproved } : {}),
    }
    try {
      await this.#client.workflow.start(REFUND_WORKFLOW, {
        ...this.#refund(refund, isApproved),
        args: [input],
        workflowIdReusePolicy: CREATE,
        workflowIdConflictPolicy: 'USE_EXISTING',
      })
    } catch (error) {
      // It ran and ended already: the row tells how.
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error
    }
  }

  /**
   * Starts a payment's workflow from its row, in whatever state that is; one that runs is left as
   * it is.
   */
  async resumePayment(payment: PaymentSubject): Promise<void> {
    await this.#client.workflow.start(PAYMENT_WORKFLOW, {
      ...this.#payment(payment),
      args: [{ paymentId: payment.id, closesInMs: 0, resume: true } satisfies PaymentInput],
      workflowIdReusePolicy: RESUME,
      workflowIdConflictPolicy: 'USE_EXISTING',
    })
  }

  /**
   * Starts a refund's workflow from its row, in whatever state that is; one that runs is left as it
   * is.
   */
  async resumeRefund(refund: RefundSubject): Promise<void> {
    await this.#client.workflow.start(REFUND_WORKFLOW, {
      ...this.#refund(refund),
      args: [{ refundId: refund.id, decideInMs: 0, resume: true } satisfies RefundInput],
      workflowIdReusePolicy: RESUME,
      workflowIdConflictPolicy: 'USE_EXISTING',
    })
  }

  /** True while a workflow of this id runs; asking leaves no trace in its history. */
  async isRunning(workflowId: string): Promise<boolean> {
    try {
      const { status } = await this.#client.workflow.getHandle(workflowId).describe()
      return status.name === 'RUNNING'
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return false
      throw error
    }
  }

  /**
   * The ids of all workflows of this task queue that run, as the engine's index of them knows. For
   * commands of an operator: a server answers few such questions a second.
   */
  async *runningWorkflowIds(): AsyncGenerator<string> {
    const query = `ExecutionStatus = 'Running' and TaskQueue = '${this.#taskQueue}'`
    for await (const { workflowId } of this.#client.workflow.list({ query })) yield workflowId
  }

  /** Tells a payment's workflow of a fact, starting it from its row where it has ended. */
  async paymentFact(payment: PaymentSubject, inboxId: string): Promise<void> {
    const options = this.#payment(payment)
    await this.#signal(options.workflowId, factSignal, inboxId, () =>
      this.#client.workflow.signalWithStart(PAYMENT_WORKFLOW, {
        ...options,
        args: [{ paymentId: payment.id, closesInMs: 0, resume: true } satisfies PaymentInput],
        workflowIdReusePolicy: RESUME,
        signal: factSignal,
        signalArgs: [inboxId],
      }),
    )
  }

  /** Tells a refund's workflow of a fact, starting it from its row where it has ended. */
  async refundFact(refund: RefundSubject, inboxId: string): Promise<void> {
    await this.#signalRefund(refund, factSignal, inboxId)
  }

  /** Tells a refund's workflow of a decision, starting it from its row where it has ended. */
  async refundDecision(refund: RefundSubject, decisionId: string): Promise<void> {
    await this.#signalRefund(refund, decideSignal, decisionId)
  }

  /**
   * Has a refund's workflow ask the channel again at once, after it applied what a person said in
   * the row of this id; starts it from its row where it has ended.
   */
  async refundKick(refund: RefundSubject, resolutionId = ''): Promise<void> {
    await this.#signalRefund(refund, kickSignal, resolutionId)
  }

  async #signalRefund(
    refund: RefundSubject,
    signal: typeof factSignal | typeof decideSignal | typeof kickSignal,
    id: string,
  ): Promise<void> {
    const options = this.#refund(refund)
    await this.#signal(options.workflowId, signal, id, () =>
      this.#client.workflow.signalWithStart(REFUND_WORKFLOW, {
        ...options,
        args: [{ refundId: refund.id, decideInMs: 0, resume: true } satisfies RefundInput],
        workflowIdReusePolicy: RESUME,
        signal,
        signalArgs: [id],
      }),
    )
  }

  async #signal(
    workflowId: string,
    signal: typeof factSignal | typeof decideSignal | typeof kickSignal,
    id: string,
    resume: () => Promise<unknown>,
  ): Promise<void> {
    try {
      await this.#client.workflow.getHandle(workflowId).signal(signal, id)
    } catch (error) {
      if (!(error instanceof WorkflowNotFoundError)) throw error
      await resume()
    }
  }

  /** Waits for an update, but no longer than the caller has time for. */
  async #answered(timeoutMs: number, update: () => Promise<unknown>): Promise<'answered' | 'late'> {
    try {
      await this.#client.withDeadline(Date.now() + timeoutMs, update)
      return 'answered'
    } catch (error) {
      if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError) return 'late'
      // The workflow ran and ended before: the row tells how.
      if (error instanceof WorkflowExecutionAlreadyStartedError) return 'answered'
      if (error instanceof WorkflowNotFoundError) return 'answered'
      throw error
    }
  }

  #payment(payment: PaymentSubject): Unsent {
    return {
      workflowId: paymentWorkflowId(payment.merchantId, payment.outTradeNo),
      taskQueue: this.#taskQueue,
      staticSummary: `收款 ${formatYuan(fen(payment.totalFen))} 元 · ${payment.outTradeNo}`,
      typedSearchAttributes: [
        { key: SEARCH_ATTRIBUTES.merchant, value: payment.merchantId },
        { key: SEARCH_ATTRIBUTES.payment, value: payment.outTradeNo },
        { key: SEARCH_ATTRIBUTES.order, value: payment.orderRef ?? payment.outTradeNo },
        { key: SEARCH_ATTRIBUTES.amountFen, value: payment.totalFen },
        { key: SEARCH_ATTRIBUTES.dueAt, value: payment.expiresAt },
      ],
    }
  }

  #refund(refund: RefundSubject, isApproved = false): Unsent {
    return {
      workflowId: refundWorkflowId(refund.merchantId, refund.outRefundNo),
      taskQueue: this.#taskQueue,
      staticSummary: `退款 ${formatYuan(fen(refund.amountFen))} 元 · ${refund.outTradeNo}`,
      typedSearchAttributes: [
        { key: SEARCH_ATTRIBUTES.merchant, value: refund.merchantId },
        { key: SEARCH_ATTRIBUTES.payment, value: refund.outTradeNo },
        { key: SEARCH_ATTRIBUTES.refund, value: refund.outRefundNo },
        { key: SEARCH_ATTRIBUTES.amountFen, value: refund.amountFen },
        { key: SEARCH_ATTRIBUTES.dueAt, value: refund.expiresAt },
        ...(isApproved ? [] : [{ key: SEARCH_ATTRIBUTES.attention, value: 'approval' }]),
      ],
    }
  }
}

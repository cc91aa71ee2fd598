import {
  CancellationScope,
  condition,
  proxyActivities,
  proxyLocalActivities,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
  uuid4,
  workflowInfo,
} from '@temporalio/workflow'
import type { Activities } from '../activities/index.js'
import type { RefundAsked, RefundProgress } from '../activities/progress.js'
import { failPoints } from '../domain/fail-points.js'
import { wechatTaskQueue } from '../domain/ids.js'
import { isRefundOver } from '../domain/states.js'
import { refundDetails } from './details.js'
import {
  approveSignal,
  decideSignal,
  factSignal,
  kickSignal,
  SEARCH_ATTRIBUTES,
  type RefundInput,
  type RefundResult,
} from './messages.js'
import { CHANNEL, DATABASE, QUICK_TRY } from './policies.js'
import { steps } from './steps.js'

const AT = failPoints('refundWorkflow', ['decide', 'approve', 'kick', 'fact'])
const onDatabase = steps('refundWorkflow.database', [
  'loadRefund',
  'decideRefund',
  'approveByOperator',
  'resolveRefund',
  'expireRefund',
  'settleRefund',
])
const asQuickTry = steps('refundWorkflow.quick', ['confirmRefund'])
const onChannel = steps('refundWorkflow.channel', ['refundAtChannel'])

const database = onDatabase(proxyLocalActivities<Activities>(DATABASE))
const quick = asQuickTry(proxyLocalActivities<Activities>(QUICK_TRY))

const APPROVAL_ATTENTION = 'approval'
const CREDENTIALS_ATTENTION = 'credentials'
/** What the timer is called in the Temporal UI. */
const DEADLINE = { summary: '审核截止 expires undecided' }

/**
 * Gives one refund back: waits for a decision, then submits and asks until the channel says how it
 * ended. One activity does both, one external call an attempt, chosen by the row.
 */
export async function refundWorkflow(input: RefundInput): Promise<RefundResult> {
  const run = new RefundRun(input.refundId)
  run.listen()
  await run.begin(input)
  while (!run.isOver()) await run.step()
  return { state: run.state() }
}

/** The question to the channel that is under way; its retries cost no events. */
interface Asking {
  readonly scope: CancellationScope
  isAnswered: boolean
  /** How it ended. What takes long is parked: a loop asks from now on, and tells with a fact. */
  said: RefundAsked
}

/** One run of the workflow: what was said to it, what it knows, and the step it takes next. */
class RefundRun {
  readonly #refundId: string
  readonly #channel = onChannel(
    proxyActivities<Activities>({
      ...CHANNEL,
      taskQueue: wechatTaskQueue(workflowInfo().taskQueue),
    }),
  )
  readonly #decisions: string[] = []
  readonly #approvals: { readonly id: string; readonly reason: string }[] = []
  readonly #kicks: string[] = []
  #factWaits = false
  #asking: Asking | undefined
  #attention: string | null = APPROVAL_ATTENTION
  /** The account must be set right before anything can be sent. */
  #isHeld = false
  #decideBy = 0
  #progress: RefundProgress = { state: 'pending', cause: null, note: null, decideInMs: 0 }

  constructor(refundId: string) {
    this.#refundId = refundId
  }

  /** Handlers only take note: a message that comes while a step is taken waits for the next one. */
  listen(): void {
    setHandler(decideSignal, (decisionId) => {
      AT.decide(() => this.#decisions.push(decisionId))
    })
    setHandler(approveSignal, (approval) => {
      const reason = approval?.reason ?? ''
      AT.approve(() => this.#approvals.push({ id: uuid4(), reason }))
    })
    setHandler(kickSignal, (resolutionId) => {
      AT.kick(() => this.#kicks.push(typeof resolutionId === 'string' ? resolutionId : ''))
    })
    setHandler(factSignal, () => {
      AT.fact(() => (this.#factWaits = true))
    })
  }

  async begin({ resume, decideInMs, isApproved = false }: RefundInput): Promise<void> {
    // Whoever starts it says what it needs a person for; for these that is nothing.
    if (isApproved) this.#attention = null
    const state = isApproved ? 'approved' : 'pending'
    this.#know(
      resume
        ? await database.loadRefund(this.#refundId)
        : { state, cause: null, note: null, decideInMs },
    )
    // The clock of a history and the database's are never compared: only durations pass.
    this.#decideBy = Date.now() + this.#progress.decideInMs
  }

  state(): RefundProgress['state'] {
    return this.#progress.state
  }

  /** Over only when every message was taken note of, too. */
  isOver(): boolean {
    return isRefundOver(this.#progress.state) && !this.#hasMessage()
  }

  /** What people said first, then facts, and only then the waiting for either. */
  async step(): Promise<void> {
    const decisionId = this.#decisions.shift()
    if (decisionId !== undefined) {
      return this.#know(await database.decideRefund(this.#refundId, decisionId))
    }
    const approval = this.#approvals.shift()
    if (approval !== undefined) return this.#approve(approval)
    const kick = this.#kicks.shift()
    if (kick !== undefined) return this.#kick(kick)
    if (this.#factWaits) return this.#settle()
    return this.#progress.state === 'pending' ? this.#waitForDecision() : this.#ask()
  }

  async #approve({ id, reason }: { readonly id: string; readonly reason: string }): Promise<void> {
    const { runId } = workflowInfo()
    const approval = { decisionId: id, reason, runId }
    this.#know(await database.approveByOperator(this.#refundId, approval))
  }

  /** Applies what a person said, if anything, and begins the question to the channel anew. */
  async #kick(resolutionId: string): Promise<void> {
    if (resolutionId !== '') {
      this.#know(await database.resolveRefund(this.#refundId, resolutionId))
    }
    this.#asking?.scope.cancel()
    this.#asking = undefined
  }

  async #waitForDecision(): Promise<void> {
    const leftMs = this.#decideBy - Date.now()
    const isWoken = leftMs > 0 && (await condition(() => this.#hasMessage(), leftMs, DEADLINE))
    if (isWoken) return
    // At half time this only reminds; a refund that stays pending waits for its next step.
    this.#know(await database.expireRefund(this.#refundId))
    this.#decideBy = Date.now() + this.#progress.decideInMs
  }

  #hasMessage(): boolean {
    const said = this.#decisions.length + this.#approvals.length + this.#kicks.length
    return said > 0 || this.#factWaits
  }

  /** Asks the channel until it answers for good or a message comes in between. */
  async #ask(): Promise<void> {
    const asking = this.#asking ?? this.#startAsking()
    await condition(() => asking.isAnswered || this.#hasMessage())
    if (!asking.isAnswered) return
    this.#asking = undefined
    if (asking.said === undefined) this.#factWaits = true
    else this.#hold(asking.said === 'held')
  }

  /** What only the account's people can mend is shown until it is; the question goes on. */
  #hold(isHeld: boolean): void {
    this.#isHeld = isHeld
    this.#know(this.#progress)
  }

  #startAsking(): Asking {
    const scope = new CancellationScope()
    const asking: Asking = { scope, isAnswered: false, said: undefined }
    const known = this.#isHeld ? [true] : []
    const answer = scope.run(() => this.#channel.refundAtChannel(this.#refundId, ...known))
    const end = (said?: RefundAsked): void => {
      asking.said = said
      asking.isAnswered = said !== 'slow'
    }
    // A cancelled question has been replaced by a new one, so its end is of no interest.
    answer.then(end, () => end())
    this.#asking = asking
    return asking
  }

  /**
   * Applies what is known. A notification about a refund is only a hint, so the first settling asks
   * the channel once; where that does not answer, the long question begins anew at once.
   */
  async #settle(): Promise<void> {
    this.#factWaits = false
    const asking = this.#asking
    if (asking === undefined) return this.#know(await database.settleRefund(this.#refundId))
    try {
      this.#know(await quick.confirmRefund(this.#refundId))
      if (asking.said === 'slow') this.#asking = undefined
    } catch {
      this.#asking = undefined
      asking.scope.cancel()
      this.#know(await database.settleRefund(this.#refundId))
    }
  }

  /** Takes over what a step found out, and shows it to whoever looks at the workflow. */
  #know(progress: RefundProgress): void {
    this.#progress = progress
    setCurrentDetails(refundDetails(progress))
    if (progress.state !== 'approved' && progress.state !== 'refunding') this.#isHeld = false
    const attention = this.#isHeld ? CREDENTIALS_ATTENTION : attentionOf(progress)
    if (attention === this.#attention) return
    this.#attention = attention
    upsertSearchAttributes([{ key: SEARCH_ATTRIBUTES.attention, value: attention }])
  }
}

function attentionOf({ state, cause }: RefundProgress): string | null {
  if (state === 'pending') return APPROVAL_ATTENTION
  return state === 'needs_attention' ? (cause ?? 'unknown') : null
}

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
import type { RefundProgress } from '../activities/progress.js'
import { wechatTaskQueue } from '../domain/ids.js'
import { isRefundOver } from '../domain/states.js'
import { refundDetails } from './details.js'
import {
  approveSignal,
  decideSignal,
  factSignal,
  SEARCH_ATTRIBUTES,
  type RefundInput,
  type RefundResult,
} from './messages.js'
import { CHANNEL, DATABASE, QUICK_TRY } from './policies.js'

const database = proxyLocalActivities<Activities>(DATABASE)
const quick = proxyLocalActivities<Activities>(QUICK_TRY)

const APPROVAL_ATTENTION = 'approval'

/** The question to the channel that is under way; its retries cost no events. */
interface Asking {
  readonly scope: CancellationScope
  answered: boolean
}

/**
 * Gives one refund back: waits for a decision, then submits and asks until the channel says how it
 * ended. One activity does both, one external call an attempt, chosen by the row.
 */
export async function refundWorkflow(input: RefundInput): Promise<RefundResult> {
  const { refundId } = input
  const decisions: string[] = []
  const approvals: { id: string; reason: string }[] = []
  let factWaits = false
  let asking: Asking | undefined
  let attention: string | null = APPROVAL_ATTENTION

  setHandler(decideSignal, (decisionId) => {
    decisions.push(decisionId)
  })
  setHandler(approveSignal, (approval) => {
    approvals.push({ id: uuid4(), reason: approval?.reason ?? '' })
  })
  setHandler(factSignal, () => {
    factWaits = true
  })

  const channel = proxyActivities<Activities>({
    ...CHANNEL,
    taskQueue: wechatTaskQueue(workflowInfo().taskQueue),
  })
  let progress: RefundProgress = input.resume
    ? await database.loadRefund(refundId)
    : { state: 'pending', cause: null, note: null, decideInMs: input.decideInMs }
  const decideBy = Date.now() + progress.decideInMs

  for (;;) {
    show(progress)
    const decisionId = decisions.shift()
    const approval = decisionId === undefined ? approvals.shift() : undefined
    if (decisionId !== undefined) {
      progress = await database.decideRefund(refundId, decisionId)
    } else if (approval !== undefined) {
      progress = await database.approveByOperator(refundId, {
        decisionId: approval.id,
        reason: approval.reason,
        runId: workflowInfo().runId,
      })
    } else if (factWaits) {
      factWaits = false
      progress = await settle()
    } else if (isRefundOver(progress.state)) {
      break
    } else if (progress.state === 'pending') {
      progress = await waitForDecision(progress)
    } else {
      await ask()
    }
  }
  return { state: progress.state }

  async function waitForDecision(waiting: RefundProgress): Promise<RefundProgress> {
    const leftMs = decideBy - Date.now()
    const woken = leftMs > 0 && (await condition(hasMessage, leftMs))
    return woken ? waiting : database.expireRefund(refundId)
  }

  function hasMessage(): boolean {
    return decisions.length > 0 || approvals.length > 0 || factWaits
  }

  /** Asks the channel until it answers for good or a message comes in between. */
  async function ask(): Promise<void> {
    const current = asking ?? startAsking()
    await condition(() => current.answered || hasMessage())
    if (!current.answered) return
    asking = undefined
    factWaits = true
  }

  function startAsking(): Asking {
    const started: Asking = { scope: new CancellationScope(), answered: false }
    const answer = started.scope.run(() => channel.refundAtChannel(refundId))
    const end = (): void => {
      started.answered = true
    }
    // A cancelled question has been replaced by a new one, so its end is of no interest.
    answer.then(end, end)
    asking = started
    return started
  }

  /**
   * Applies what is known. A notification about a refund is only a hint, so the first settling asks
   * the channel once; where that does not answer, the long question begins anew at once.
   */
  async function settle(): Promise<RefundProgress> {
    const asked = asking
    if (asked === undefined) return database.settleRefund(refundId)
    try {
      return await quick.confirmRefund(refundId)
    } catch {
      asking = undefined
      asked.scope.cancel()
      return database.settleRefund(refundId)
    }
  }

  function show(now: RefundProgress): void {
    setCurrentDetails(refundDetails(now))
    const wanted = attentionOf(now)
    if (wanted === attention) return
    attention = wanted
    upsertSearchAttributes([{ key: SEARCH_ATTRIBUTES.attention, value: wanted }])
  }
}

function attentionOf({ state, cause }: RefundProgress): string | null {
  if (state === 'pending') return APPROVAL_ATTENTION
  return state === 'needs_attention' ? (cause ?? 'unknown') : null
}

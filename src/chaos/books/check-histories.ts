import { paymentWorkflowId, refundWorkflowId } from '../../domain/ids.js'
import {
  isPaymentOver,
  isRefundOver,
  PAYMENT_EDGES,
  REFUND_EDGES,
  type Edge,
} from '../../domain/states.js'
import type { PaymentEntry, RefundEntry, WorkflowEntry } from './books.js'
import type { Offence, Offender } from './offences.js'
import type { Shelf } from './shelf.js'

/** Temporal's histories: one for each row, at an end where the row is, and telling the same. */
export function checkHistories(shelf: Shelf): Offender[] {
  const { tables, workflows } = shelf.books
  const byId = new Map(workflows.map((workflow) => [workflow.workflowId, workflow]))
  const subjects = [
    ...tables.payments.map((payment) => subjectOfPayment(shelf, payment)),
    ...tables.refunds.map((refund) => subjectOfRefund(shelf, refund)),
  ]
  const known = new Set(subjects.map(({ workflowId }) => workflowId))
  return [
    ...subjects.flatMap((subject) => checkSubject(subject, byId.get(subject.workflowId))),
    ...workflows.filter(({ workflowId }) => isOrphan(workflowId, known)).map(withoutRow),
  ]
}

/** A row as its workflow has to tell of it. */
interface Subject {
  readonly workflowId: string
  readonly name: string
  readonly number: string
  readonly state: string
  readonly isOver: boolean
  /** Adopted payments, and portal refunds that were done when they were found, have none. */
  readonly needsWorkflow: boolean
  readonly edges: Readonly<Record<string, readonly Edge<string>[]>>
}

function subjectOfPayment({ books }: Shelf, payment: PaymentEntry): Subject {
  const { outTradeNo, state, origin } = payment
  return {
    workflowId: paymentWorkflowId(books.merchantId, outTradeNo),
    name: `payment ${outTradeNo}`,
    number: outTradeNo,
    state,
    isOver: isPaymentOver(state),
    needsWorkflow: origin === 'engine',
    edges: PAYMENT_EDGES,
  }
}

function subjectOfRefund({ books }: Shelf, refund: RefundEntry): Subject {
  const { outRefundNo, state, origin } = refund
  return {
    workflowId: refundWorkflowId(books.merchantId, outRefundNo),
    name: `refund ${outRefundNo}`,
    number: outRefundNo,
    state,
    isOver: isRefundOver(state),
    needsWorkflow: origin !== 'external' || state !== 'done',
    edges: REFUND_EDGES,
  }
}

function checkSubject(subject: Subject, workflow: WorkflowEntry | undefined): Offender[] {
  const { name, state, isOver, needsWorkflow } = subject
  const say = (kind: Offence, sentence: string): Offender[] => [
    { kind, subject: subject.number, sentence: `${name}: ${sentence}` },
  ]
  if (workflow === undefined) {
    return needsWorkflow ? say('workflow_missing', `it is ${state}, and has no workflow`) : []
  }
  const illegal = illegalStep(workflow.states, subject)
  if (illegal !== undefined) return say('history_illegal', `its history goes ${illegal}`)
  if (workflow.status === 'RUNNING') {
    return isOver ? say('workflow_open', `it is ${state}, and its workflow goes on`) : []
  }
  if (workflow.status !== 'COMPLETED') {
    return say('workflow_broken', `its workflow ended as ${workflow.status}`)
  }
  if (!isOver) return say('workflow_missing', `it is ${state}, and its workflow has ended`)
  if (workflow.result === state) return []
  return say('history_differs', `it is ${state}, and its workflow ended with ${workflow.result}`)
}

/** The first two states of which the later one cannot follow the other. */
function illegalStep(states: readonly string[], { edges }: Subject): string | undefined {
  const index = states.findIndex(
    (to, at) => at > 0 && !isReachable(states[at - 1] ?? to, to, edges),
  )
  return index === -1 ? undefined : `from ${states[index - 1]} to ${states[index]}`
}

/** Whether a state is another, or follows it by steps that somebody else may have taken between. */
export function isReachable(
  from: string,
  to: string,
  edges: Readonly<Record<string, readonly Edge<string>[]>>,
): boolean {
  const seen = new Set([from])
  for (const state of seen) for (const next of edges[state] ?? []) seen.add(next.to)
  return seen.has(to)
}

const isOrphan = (workflowId: string, known: ReadonlySet<string>): boolean =>
  /^(payment|refund):/.test(workflowId) && !known.has(workflowId)

const withoutRow = ({ workflowId, status }: WorkflowEntry): Offender => ({
  kind: 'workflow_without_row',
  subject: workflowId,
  sentence: `workflow ${workflowId}: it is ${status}, and no row stands behind it`,
})

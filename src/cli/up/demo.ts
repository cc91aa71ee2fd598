import { findPayment } from '../../db/payments.js'
import { fen, formatYuan } from '../../domain/money.js'
import { balances, journalOf, type JournalLine } from '../../ledger/journal.js'
import { playPayment, type PlayedPayment } from './demo-payment.js'
import { playRefund, type PlayedRefund } from './demo-refund.js'
import { journalSumFen, journalTable } from './journal-table.js'
import type { Stage } from './stage.js'
import { CLOCK_RATE } from './system.js'

/**
 * Plays one payment and its way back, and judges it by what the book, the channel and Temporal say
 * in the end.
 *
 * @returns whether every step was seen and everything agrees
 * @throws Error naming the step that could not be seen
 */
export async function playDemo(stage: Stage): Promise<boolean> {
  const { screen, texts } = stage
  screen.print('', `  ${screen.bold(texts.demo.intro(CLOCK_RATE))}`, '')
  const payment = await playPayment(stage)
  const before = await linesOf(stage, payment)
  const refund = await playRefund(stage, payment)
  const lines = await linesOf(stage, payment, refund)
  screen.print('', ...journalTable(lines, texts.table), '')
  return refund.row.state === 'rejected'
    ? judgeRejected(stage, refund, before, lines)
    : judgeDone(stage, payment, refund, lines)
}

const linesOf = (stage: Stage, payment: PlayedPayment, refund?: PlayedRefund) =>
  journalOf(stage.system.database, [
    { kind: 'payment', id: payment.row.id },
    ...(refund === undefined ? [] : [{ kind: 'refund' as const, id: refund.row.id }]),
  ])

async function judgeDone(
  stage: Stage,
  payment: PlayedPayment,
  refund: PlayedRefund,
  lines: readonly JournalLine[],
): Promise<boolean> {
  const sumFen = journalSumFen(lines)
  const why = await whatDisagrees(stage, payment, refund, sumFen)
  const { row, workflowId, runId } = refund
  const { timeline, texts, screen } = stage
  const step = {
    actor: 'engine',
    what: 'verdict',
    state: row.state,
    channelRef: row.refundId,
  } as const
  const journalIds = [...new Set(lines.map(({ entryId }) => entryId))]
  const ok = why === undefined && timeline.missing().every((name) => name === 'verdict')
  const more = { ok, journalSumFen: sumFen }
  timeline.add(
    { ...step, at: new Date(), workflowId, runId, journalIds, more },
    ok
      ? screen.green(texts.demo.verdictOk(lines.length, formatYuan(fen(Math.abs(sumFen)))))
      : screen.red(texts.demo.verdictBad(why ?? timeline.missing().join(', '))),
  )
  return ok
}

/** The first thing about which book, channel and demands of arithmetic disagree. */
async function whatDisagrees(
  { system }: Stage,
  payment: PlayedPayment,
  { row }: PlayedRefund,
  sumFen: number,
): Promise<string | undefined> {
  const { outTradeNo } = payment.row
  const [refund, ...others] = await system.sandbox.refundsOf(outTradeNo)
  if (refund === undefined || others.length > 0)
    return 'the channel knows another number of refunds'
  if (refund.refundStatus !== 'SUCCESS') return `the channel says ${refund.refundStatus}`
  if (refund.refundFee !== row.amountFen) return 'the channel gave back another amount'
  const paid = await findPayment(system.database, payment.row.id)
  if (paid?.refundedFen !== row.amountFen || paid.reservedFen !== 0) return 'the counters are wrong'
  if (sumFen !== 0) return 'the journal does not sum to zero'
  const all = await balances(system.database)
  const bookSumFen = all.reduce((sum, { balanceFen }) => sum + balanceFen, 0)
  return bookSumFen === 0 ? undefined : 'the book does not sum to zero'
}

async function judgeRejected(
  stage: Stage,
  refund: PlayedRefund,
  before: readonly JournalLine[],
  after: readonly JournalLine[],
): Promise<boolean> {
  const { timeline, texts, screen } = stage
  const { row, workflowId, runId } = refund
  const sumFen = journalSumFen(after)
  const ok = after.length === before.length && sumFen === 0
  const step = { actor: 'engine', what: 'verdict', state: row.state, channelRef: null } as const
  const journalIds = [...new Set(after.map(({ entryId }) => entryId))]
  const more = { ok, journalSumFen: sumFen }
  timeline.add(
    { ...step, at: new Date(), workflowId, runId, journalIds, more },
    ok
      ? screen.green(texts.demo.verdictRejected)
      : screen.red(texts.demo.verdictBad('the journal has changed')),
  )
  return ok
}

import type { SandboxOrder, SandboxRefund } from '../../support/sandbox.js'
import { MERCHANT_ID, type Stack } from '../../support/stack.js'
import { paymentWorkflowId, refundWorkflowId } from '../../../src/domain/ids.js'
import { look, until } from './ways.js'

/** How a walk ended: in the rows, in the journal, in the events, and in the channel's own book. */
export interface Ending {
  readonly rows: Readonly<Record<string, unknown>>
  readonly order: Partial<SandboxOrder>
  readonly refunds: readonly Partial<SandboxRefund>[]
}

/**
 * What is the same whoever died. How often something was sent or asked for is not in it, nor
 * when, nor by which of two ways a fact came. The order is that of the events, which are numbered.
 */
const ROWS = `
  select p.state, p.disposition, p.attention, p.failure_code, p.total_fen, p.paid_fen, p.cash_fen,
    p.settlement_fen, p.reserved_fen, p.refunded_fen, p.settled_fen, p.over_reserved_fen, p.origin,
    (select json_agg(json_build_array(r.state, r.cause, r.origin, r.hold_reason, r.amount_fen,
        r.settlement_fen, r.transit_round, r.in_transit) order by r.created_at, r.id)
      from refunds r where r.payment_id = p.id) as refunds,
    (select json_agg(json_build_array(t.rule, split_part(t.debit, ':', 1),
        split_part(t.credit, ':', 1), t.amount_fen)
        order by t.rule, split_part(t.debit, ':', 1), t.amount_fen)
      from journal_transfers t where t.cause_id = p.id
        or t.cause_id in (select id from refunds where payment_id = p.id)) as journal,
    (select json_agg(json_build_array(o.sequence, o.type, o.payload->'state', o.payload->'cause')
        order by o.sequence) from outbox o where o.subject = p.id) as events,
    (select json_agg(json_build_array(a.action) order by a.action) from audit a
      where a.subject_id = p.id
        or a.subject_id in (select id from refunds where payment_id = p.id)) as audit,
    (select json_agg(json_build_array(d.verb, d.outcome) order by d.stored_at, d.id)
      from refund_decisions d join refunds r on r.id = d.refund_id
      where r.payment_id = p.id) as decisions,
    (select json_agg(json_build_array(s.verb, s.outcome) order by s.stored_at, s.id)
      from refund_resolutions s join refunds r on r.id = s.refund_id
      where r.payment_id = p.id) as resolutions,
    (select json_agg(c.kind order by c.opened_at) from cases c
      where c.payment_id = p.id) as cases,
    (select json_agg(json_build_array(d.sequence, d.state) order by d.sequence)
      from webhook_deliveries d where d.payment_id = p.id) as deliveries
  from payments p where p.id = $1`

/** Waits until nothing about a payment moves any more, and answers how it ended. */
export async function endingOf(stack: Stack, paymentId: string): Promise<Ending> {
  await until(() => isAtRest(stack, paymentId))
  const [rows] = await look<Readonly<Record<string, unknown>>>(stack, ROWS, paymentId)
  const [numbers] = await look<Numbers>(stack, NUMBERS, paymentId)
  if (rows === undefined || numbers === undefined) throw new Error('The payment is not there.')
  const book = await stack.sandbox.control.book({ mchId: stack.merchant.mchId })
  const { outTradeNo } = numbers
  const order = book.orders.find((each) => each.outTradeNo === outTradeNo)
  return {
    rows,
    order: { tradeState: order?.tradeState ?? 'NONE', refundedFee: order?.refundedFee ?? 0 },
    refunds: book.refunds
      .filter((each) => each.outTradeNo === outTradeNo)
      .map(({ refundFee, refundStatus }) => ({ refundFee, refundStatus })),
  }
}

interface Numbers {
  readonly outTradeNo: string
  readonly outRefundNos: readonly string[]
}

const NUMBERS = `
  select out_trade_no as "outTradeNo", array(select out_refund_no from refunds
    where payment_id = p.id) as "outRefundNos" from payments p where id = $1`

/** What nobody has applied, or started, yet. */
const LEFT = `
  with subjects as (
    select $1::uuid as id union all select id from refunds where payment_id = $1)
  select (select count(*) from inbox
      where applied_at is null and (kind = 'external' or subject_id in (select id from subjects)))
    + (select count(*) from refund_decisions
      where applied_at is null and refund_id in (select id from subjects))
    + (select count(*) from refund_resolutions
      where applied_at is null and refund_id in (select id from subjects))
    + (select count(*) from refunds
      where payment_id = $1 and origin = 'system' and workflow_started_at is null) as count`

async function isAtRest(stack: Stack, paymentId: string): Promise<boolean> {
  const [left] = await look<{ count: number }>(stack, LEFT, paymentId)
  if (left === undefined || left.count > 0) return false
  const [numbers] = await look<Numbers>(stack, NUMBERS, paymentId)
  const { outTradeNo = '', outRefundNos = [] } = numbers ?? {}
  const workflowIds = [
    paymentWorkflowId(MERCHANT_ID, outTradeNo),
    ...outRefundNos.map((outRefundNo) => refundWorkflowId(MERCHANT_ID, outRefundNo)),
  ]
  const running = await Promise.all(workflowIds.map((id) => isRunning(stack, id)))
  return !running.includes(true)
}

/** What was taken over, or given back in the portal, may have had no workflow at all. */
async function isRunning({ temporal }: Stack, workflowId: string): Promise<boolean> {
  const described = await temporal.workflow
    .getHandle(workflowId)
    .describe()
    .catch(() => undefined)
  return described?.status.name === 'RUNNING'
}

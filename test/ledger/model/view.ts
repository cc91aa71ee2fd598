import type { Database } from '../../../src/db/pool.js'
import { paymentFactKey } from '../../../src/domain/payment.js'
import { run } from '../../db/support/book.js'
import type { Book, Payment, Refund } from './book.js'
import type { View } from './search.js'
import type { World } from './world.js'

/** Everything that is compared of payments and refunds, in an order that is always the same. */
export function viewOf(book: Book): View {
  return Object.fromEntries([
    ...Object.values(book.payments).map((payment) => [payment.id, paymentView(payment)]),
    ...Object.values(book.refunds).map((refund) => [refund.id, refundView(refund)]),
  ])
}

const factLines = (facts: Payment['facts']): string[] =>
  facts.map(({ key, outcome }) => `${key}: ${outcome}`).toSorted()

const paymentView = (payment: Payment) => ({
  state: payment.state,
  disposition: payment.disposition,
  attention: payment.attention,
  paidFen: payment.paidFen,
  settlementFen: payment.settlementFen,
  reservedFen: payment.reservedFen,
  refundedFen: payment.refundedFen,
  overReservedFen: payment.overReservedFen,
  cases: payment.cases
    .map(({ kind, state, amountFen }) => `${kind} ${state} ${amountFen}`)
    .toSorted(),
  facts: factLines(payment.facts),
  events: payment.events,
  lines: payment.lines.toSorted(),
})

const refundView = (refund: Refund) => ({
  paymentId: refund.paymentId,
  state: refund.state,
  cause: refund.cause,
  isHeldBack: refund.isHeldBack,
  settlementFen: refund.settlementFen,
  round: refund.round,
  isInTransit: refund.isInTransit,
  submits: refund.submits,
  queries: refund.queries,
  facts: factLines(refund.facts),
  decisions: refund.decisions
    .map(({ verb, who, outcome }) => `${verb} ${who}: ${outcome}`)
    .toSorted(),
  lines: refund.lines.toSorted(),
})

interface Row {
  readonly id: string
  readonly view: object
}

interface RefundRow extends Row {
  /** What the model calls it, which cannot know the id of what the engine makes by itself. */
  readonly name: string
  readonly outRefundNo: string
  readonly amountFen: number
}

const PAYMENTS = `
  select p.id, jsonb_build_object('state', state, 'disposition', disposition,
    'attention', attention, 'paidFen', paid_fen, 'settlementFen', settlement_fen,
    'reservedFen', reserved_fen, 'refundedFen', refunded_fen, 'overReservedFen', over_reserved_fen,
    'cases', (select coalesce(jsonb_agg(line order by line collate "C"), '[]') from (
      select kind || ' ' || state || ' ' || amount_fen as line from cases
      where payment_id = p.id) as lines),
    'events', (select coalesce(jsonb_agg(type order by sequence), '[]') from outbox
      where subject = p.id)) as view
  from payments p where merchant_id = $1`

const REFUNDS = `
  select r.id, out_refund_no as "outRefundNo", amount_fen as "amountFen",
    case origin when 'system' then 'surplus:' || payment_id when 'external' then out_refund_no
      else r.id::text end as name,
    jsonb_build_object('paymentId', payment_id, 'state', state, 'cause', cause,
    'isHeldBack', hold_reason is not null, 'settlementFen', settlement_fen, 'round', transit_round,
    'isInTransit', in_transit, 'submits', submit_count, 'queries', query_count,
    'decisions', (select coalesce(jsonb_agg(verb || ' ' || case
          when principal_kind = 'temporal-operator' then 'operator'
          when acting_user = 'Alice' then 'asker'
          when acting_user = 'Bob' then 'approver' else 'asker by another key' end
        || ': ' || coalesce(outcome, 'null')), '[]')
      from refund_decisions where refund_id = r.id)) as view
  from refunds r where merchant_id = $1`

const LINES = `
  select cause_id as id, rule || '.' || n || ' ' || split_part(debit, ':', 1) || '/'
    || split_part(credit, ':', 1) || ' ' || amount_fen as line
  from journal_transfers where merchant_id = $1`

const FACTS = `
  select subject_id as id, business_key as key, coalesce(outcome, 'null') as outcome,
    row_number() over (order by stored_at, id) as place
  from inbox where account_id = $1`

/** What the database says, with the order in which facts were stored. */
export async function readView(
  world: World,
): Promise<{ view: View; storedAt: (subjectId: string, key: string) => number }> {
  const { owner, account } = world
  const read = <R>(text: string, id: string): Promise<R[]> => run<R>(owner, text, [id])
  const [payments, refunds, lines, facts] = await Promise.all([
    read<Row>(PAYMENTS, account.merchantId),
    read<RefundRow>(REFUNDS, account.merchantId),
    read<{ id: string; line: string }>(LINES, account.merchantId),
    read<{ id: string; key: string; outcome: string; place: number }>(FACTS, account.id),
  ])
  for (const refund of refunds) world.refunds.set(refund.name, refund)
  const names = new Map(refunds.map(({ id, name }) => [id, name]))
  const known = facts.map((fact) => ({ ...fact, key: plainKey(world, fact.id, fact.key) }))
  const view = Object.fromEntries(
    [...payments, ...refunds].map(({ id, view: columns }) => {
      const own = known.filter((fact) => fact.id === id)
      const decisions = 'decisions' in columns ? (columns.decisions as string[]) : undefined
      return [
        names.get(id) ?? id,
        {
          ...columns,
          ...(decisions === undefined ? {} : { decisions: decisions.toSorted() }),
          facts: own.map(({ key, outcome }) => `${key}: ${outcome}`).toSorted(),
          lines: lines.flatMap((each) => (each.id === id ? [each.line] : [])).toSorted(),
        },
      ]
    }),
  )
  const places = new Map(
    known.map(({ id, key, place }) => [`${names.get(id) ?? id} ${key}`, place]),
  )
  return { view, storedAt: (id, key) => places.get(`${id} ${key}`) ?? 0 }
}

/** The model's word for a key of the inbox. */
function plainKey(world: World, subjectId: string, key: string): string {
  const payment = world.payments.get(subjectId)
  if (payment === undefined) return key.split(':').slice(1).join(':')
  const whats = ['exact', 'coupon', 'short', 'dollars', 'twice'] as const
  const match = whats.find(
    (what) => paymentFactKey(payment.outTradeNo, world.paidFact(subjectId, what)) === key,
  )
  const word = /:resolve:(?<word>accept|refund)$/.exec(key)?.groups?.['word']
  return match ?? word ?? 'closed'
}

/** Balances by account, debits less credits, as the database adds them up. */
export async function readSums(owner: Database, merchantId: string): Promise<Map<string, number>> {
  const rows = await run<{ account: string; sum: number }>(
    owner,
    `select split_part(account, ':', 1) as account, sum(amount)::bigint as sum from (
       select debit as account, amount_fen as amount from journal_transfers where merchant_id = $1
       union all
       select credit, -amount_fen from journal_transfers where merchant_id = $1) as legs
     group by 1`,
    [merchantId],
  )
  return new Map(rows.map(({ account, sum }) => [account, sum]))
}

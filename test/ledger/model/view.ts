import type { Database } from '../../../src/db/pool.js'
import { paymentFactKey } from '../../../src/domain/payment.js'
import { run } from '../../db/support/book.js'
import {
  lessCouponFen,
  type Book,
  type Decision,
  type Fact,
  type Payment,
  type Refund,
} from './book.js'
import { FOREIGN_APP_ID } from './channel.js'
import { PEOPLE } from './people.js'
import { ACCOUNT, type AccountView, type View } from './search.js'
import type { World } from './world.js'

/** Everything that is compared of payments and refunds, in an order that is always the same. */
export function viewOf(book: Book): View {
  return Object.fromEntries([
    [ACCOUNT, accountView(book)],
    ...Object.values(book.payments).map((payment) => [payment.id, paymentView(payment)]),
    ...Object.values(book.refunds).map((refund) => [refund.id, refundView(refund)]),
  ])
}

export const accountView = ({ day, triedIn }: Book): AccountView => ({
  approvedFen: day,
  isOutOfMoney: triedIn !== null,
})

/** One key may stand for different facts, of which the first was kept: what it says shows which. */
const factLines = (facts: Payment['facts'], saidOf: (what: Fact['what']) => string): string[] =>
  facts.map(({ key, what, outcome }) => `${key}${saidOf(what)}: ${outcome}`).toSorted()

const settledFen = (what: Fact['what'], amountFen: number): number =>
  what === 'success with coupon' ? lessCouponFen(amountFen) : amountFen

const paymentView = (payment: Payment) => ({
  state: payment.state,
  disposition: payment.disposition,
  attention: payment.attention,
  paidFen: payment.paidFen,
  settlementFen: payment.settlementFen,
  reservedFen: payment.reservedFen,
  refundedFen: payment.refundedFen,
  settledFen: payment.settledFen,
  overReservedFen: payment.overReservedFen,
  cases: payment.cases
    .map(({ kind, state, amountFen }) => `${kind} ${state} ${amountFen}`)
    .toSorted(),
  facts: factLines(payment.facts, (what) => (what === 'foreign' ? ' foreign' : '')),
  events: payment.events,
  lines: payment.lines.toSorted(),
})

const refundView = (refund: Refund) => ({
  paymentId: refund.paymentId,
  requester: refund.requester === null ? null : nameOf(refund.requester),
  retryOf: refund.retryOf,
  isSameNumber: true,
  policy: refund.policy,
  needs: refund.needs,
  state: refund.state,
  cause: refund.cause,
  isHeldBack: refund.isHeldBack,
  settlementFen: refund.settlementFen,
  round: refund.round,
  isInTransit: refund.isInTransit,
  submits: refund.submits,
  isAccepted: refund.isAccepted,
  maybeTaken: refund.maybeTaken,
  queries: refund.queries,
  facts: factLines(refund.facts, (what) => ` ${settledFen(what, refund.amountFen)}`),
  decisions: refund.decisions
    .map(({ verb, who, outcome }) => `${verb} ${nameOf(who)}: ${outcome}`)
    .toSorted(),
  resolutions: refund.resolutions
    .map(({ verb, who, outcome, proves }) => `${verb} ${nameOf(who)}: ${outcome}, ${proves}`)
    .toSorted(),
  lines: refund.lines.toSorted(),
})

const nameOf = (who: Decision['who']): string => (isKeyOf(PEOPLE, who) ? PEOPLE[who].name : who)

const isKeyOf = <T extends object>(of: T, key: string | number | symbol): key is keyof T =>
  key in of

interface Row {
  readonly id: string
  readonly view: object
}

interface RefundRow extends Row {
  /** What the model calls it, which cannot know the id of what the engine makes by itself. */
  readonly name: string
  readonly retryOf: string | null
  readonly outRefundNo: string
  readonly amountFen: number
}

interface FactRow {
  readonly id: string
  readonly key: string
  readonly outcome: string
  readonly place: number
  readonly settlementFen: string | null
  readonly appId: string | null
}

const saidBy = ({ settlementFen, appId }: FactRow, isOfRefund: boolean): string => {
  if (isOfRefund) return ` ${settlementFen}`
  return appId === FOREIGN_APP_ID ? ' foreign' : ''
}

const PAYMENTS = `
  select p.id, jsonb_build_object('state', state, 'disposition', disposition,
    'attention', attention, 'paidFen', paid_fen, 'settlementFen', settlement_fen,
    'reservedFen', reserved_fen, 'refundedFen', refunded_fen, 'settledFen', settled_fen,
    'overReservedFen', over_reserved_fen,
    'cases', (select coalesce(jsonb_agg(line order by line collate "C"), '[]') from (
      select kind || ' ' || state || ' ' || amount_fen as line from cases
      where payment_id = p.id) as lines),
    'events', (select coalesce(jsonb_agg(type order by sequence), '[]') from outbox
      where subject = p.id)) as view
  from payments p where merchant_id = $1`

const REFUNDS = `
  select r.id, out_refund_no as "outRefundNo", amount_fen as "amountFen", retry_of as "retryOf",
    case origin when 'system' then 'surplus:' || payment_id when 'external' then out_refund_no
      else r.id::text end as name,
    jsonb_build_object('paymentId', payment_id, 'state', state, 'cause', cause,
    'requester', case when requested_by is not null then requested_for end,
    'isHeldBack', hold_reason is not null, 'settlementFen', settlement_fen, 'round', transit_round,
    'isInTransit', in_transit, 'submits', submit_count, 'queries', query_count,
    'isAccepted', accepted_at is not null, 'maybeTaken', maybe_taken,
    'policy', policy_version, 'needs', approvals_needed,
    'decisions', (select coalesce(jsonb_agg(verb || ' ' || case principal_kind
          when 'temporal-operator' then 'operator' when 'api_key' then acting_user
          else principal_kind end || ': ' || coalesce(outcome, 'null')), '[]')
      from refund_decisions where refund_id = r.id),
    'resolutions', (select coalesce(jsonb_agg(verb || ' ' || acting_user || ': '
        || coalesce(outcome, 'null') || ', ' || coalesce(proof ->> 'proves', 'null')), '[]')
      from refund_resolutions where refund_id = r.id)) as view
  from refunds r where merchant_id = $1 order by created_at, id`

const APPROVED = `
  select person, approved_fen as "approvedFen" from person_day_totals
  where merchant_id = $1 and beijing_day = ($2::timestamptz at time zone 'Asia/Shanghai')::date
    and approved_fen > 0`

const HOLDS = 'select from channel_holds where account_id = $1'

const LINES = `
  select cause_id as id, rule || '.' || n || ' ' || split_part(debit, ':', 1) || '/'
    || split_part(credit, ':', 1) || ' ' || amount_fen as line
  from journal_transfers where merchant_id = $1`

const FACTS = `
  select subject_id as id, business_key as key, coalesce(outcome, 'null') as outcome,
    row_number() over (order by stored_at, id) as place,
    fact ->> 'settlementFen' as "settlementFen", fact ->> 'appId' as "appId"
  from inbox where account_id = $1`

/** What the database says, with the order in which facts were stored. */
export async function readView(
  world: World,
): Promise<{ view: View; storedAt: (subjectId: string, key: string) => number }> {
  const { owner, account } = world
  const read = <R>(text: string, ...values: unknown[]): Promise<R[]> => run<R>(owner, text, values)
  const { merchantId } = account
  const [payments, refunds, lines, facts, approved, holds] = await Promise.all([
    read<Row>(PAYMENTS, merchantId),
    read<RefundRow>(REFUNDS, merchantId),
    read<{ id: string; line: string }>(LINES, merchantId),
    read<FactRow>(FACTS, account.id),
    read<{ person: string; approvedFen: number }>(APPROVED, merchantId, world.clock.now()),
    read(HOLDS, account.id),
  ])
  const names = namesOf(refunds)
  const named = new Map(
    refunds.map((row) => {
      const retryOf = row.retryOf === null ? null : names.get(row.retryOf)
      return [row.id, { retryOf, isSameNumber: isSameNumber(world, names, row) }]
    }),
  )
  const known = facts.map((fact) => ({ ...fact, key: plainKey(world, fact.id, fact.key) }))
  const rows = [...payments, ...refunds].map(({ id, view: columns }) => {
    const own = known.filter((fact) => fact.id === id)
    const view = {
      ...sorted(columns),
      ...named.get(id),
      facts: own
        .map((fact) => `${fact.key}${saidBy(fact, names.has(id))}: ${fact.outcome}`)
        .toSorted(),
      lines: lines.flatMap((each) => (each.id === id ? [each.line] : [])).toSorted(),
    }
    return [names.get(id) ?? id, view] as const
  })
  const approvedFen = Object.fromEntries(approved.map((row) => [row.person, row.approvedFen]))
  const whole: AccountView = { approvedFen, isOutOfMoney: holds.length > 0 }
  const places = new Map(
    known.map(({ id, key, place }) => [`${names.get(id) ?? id} ${key}`, place]),
  )
  return {
    view: { [ACCOUNT]: whole, ...Object.fromEntries(rows) },
    storedAt: (id, key) => places.get(`${id} ${key}`) ?? 0,
  }
}

/** What the model calls refunds; one that tries another one again is there later than that. */
function namesOf(refunds: readonly RefundRow[]): ReadonlyMap<string, string> {
  const names = new Map<string, string>()
  for (const { id, name, retryOf } of refunds) {
    names.set(id, retryOf === null ? name : `renewal:${names.get(retryOf)}`)
  }
  return names
}

/** A refund keeps the number it was first seen with. */
function isSameNumber(world: World, names: ReadonlyMap<string, string>, row: RefundRow): boolean {
  const name = names.get(row.id) ?? row.id
  const first = world.refunds.get(name) ?? row
  world.refunds.set(name, first)
  return first.outRefundNo === row.outRefundNo
}

/** Decisions and what else was said, in an order that is always the same. */
const sorted = (columns: object): object =>
  Object.fromEntries(
    Object.entries(columns).map(([name, value]) => [
      name,
      name === 'decisions' || name === 'resolutions' ? (value as string[]).toSorted() : value,
    ]),
  )

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

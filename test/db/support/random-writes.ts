import { newId } from '../../../src/db/ids.js'
import type { Database } from '../../../src/db/pool.js'
import { REFUND_STATES, type PaymentState } from '../../../src/domain/states.js'
import { addPayment, addRefund, connect, NOW, run, type Book } from './book.js'
import { Random } from './random.js'
import { refuser } from './refusal.js'

/** One write by plain SQL, as whoever has the password of a role could type it. */
export interface Write {
  readonly role: 'api' | 'worker' | 'owner'
  readonly kind: string
  readonly text: string
  readonly values: readonly unknown[]
}

/** What a refund was asked to be: it must never be anything else. */
export interface Asked {
  readonly paymentId: string
  readonly amountFen: number
}

export interface Plan {
  readonly writes: readonly Write[]
  /** Every refund that is there at first or that a write of the plan asks for, by its id. */
  readonly asked: ReadonlyMap<string, Asked>
}

export interface Tally {
  accepted: number
  refused: number
  /** Writes that found no row to change. */
  idle: number
  /** How often each rule refused. */
  readonly refusedBy: Map<string, number>
}

const REQUEST = `select outcome from request_refund($1, 'demo', $2, $3, $4, 'x', $5, 'Alice', now(),
  gen_random_uuid(), gen_random_uuid(), now()) where true`
const INSERT = `insert into refunds (id, merchant_id, payment_id, account_id, api_version, mch_id,
  out_refund_no, amount_fen, total_fen, reason, requested_by, requested_for, expires_at, created_at,
  updated_at)
  select $1, merchant_id, id, account_id, api_version, mch_id, $3, $4, total_fen, 'x', $5, 'Alice',
    now(), now(), now() from payments where id = $2 returning id`
const MOVE = `update refunds set state = $2,
  first_submitted_at = case when $2 = 'refunding' then coalesce(first_submitted_at, now())
    else first_submitted_at end,
  done_at = case when $2 = 'done' then now() else done_at end
  where id = $1 returning id`
const PAY = `update payments set state = 'paid', disposition = 'accepted', paid_fen = $2,
  cash_fen = $2, settlement_fen = $2, transaction_id = $3, paid_at = now()
  where id = $1 returning id`

/** The states in the order of how often a plan moves a refund there. */
const TARGETS = [...REFUND_STATES, 'approved', 'approved', 'refunding', 'refunding', 'done']

interface Draft {
  readonly payments: string[]
  readonly asked: Map<string, Asked>
  readonly keyId: string
}

type Maker = (random: Random, draft: Draft) => Write

const anyRefund = (random: Random, { asked }: Draft): string => random.pick([...asked.keys()])

const byEither = (random: Random): Write['role'] => random.pick(['api', 'worker'])

const ask: Maker = (random, { payments, asked, keyId }) => {
  const id = newId(NOW)
  const paymentId = random.pick(payments)
  const amountFen = 30 + random.below(300)
  asked.set(id, { paymentId, amountFen })
  const values = [id, paymentId, `R-${id}`, amountFen, keyId]
  return { role: 'api', kind: 'ask', text: REQUEST, values }
}

const insert: Maker = (random, { payments, keyId }) => {
  const id = newId(NOW)
  const values = [id, random.pick(payments), `R-${id}`, 1 + random.below(2000), keyId]
  return { role: byEither(random), kind: 'insert', text: INSERT, values }
}

const move: Maker = (random, draft) => ({
  role: 'worker',
  kind: 'state',
  text: MOVE,
  values: [anyRefund(random, draft), random.pick(TARGETS)],
})

const amount: Maker = (random, draft) => ({
  role: byEither(random),
  kind: 'amount',
  text: 'update refunds set amount_fen = $2 where id = $1 returning id',
  values: [anyRefund(random, draft), 1 + random.below(2000)],
})

const payment: Maker = (random, draft) => ({
  role: byEither(random),
  kind: 'payment',
  text: 'update refunds set payment_id = $2 where id = $1 returning id',
  values: [anyRefund(random, draft), random.pick(draft.payments)],
})

const counters: Maker = (random, { payments }) => {
  const column = random.pick(['reserved_fen', 'refunded_fen', 'settled_fen'])
  const text = `update payments set ${column} = $2 where id = $1 returning id`
  const values = [random.pick(payments), random.below(1000)]
  return { role: byEither(random), kind: 'counters', text, values }
}

const paidAmount: Maker = (random, { payments }) => {
  const values = [random.pick(payments), 1 + random.below(2000), newId(NOW).slice(-12)]
  return { role: 'worker', kind: 'paid amount', text: PAY, values }
}

const remove: Maker = (random, draft) => {
  const table = random.pick(['refunds', 'payments'])
  const text = `delete from ${table} where id = $1 returning id`
  const values = [table === 'refunds' ? anyRefund(random, draft) : random.pick(draft.payments)]
  return { role: byEither(random), kind: 'delete', text, values }
}

/** How often each kind of write stands in a plan of 200. */
const MIX: readonly (readonly [Maker, number])[] = [
  [ask, 66],
  [move, 76],
  [insert, 8],
  [amount, 10],
  [payment, 10],
  [counters, 10],
  [paidAmount, 10],
  [remove, 10],
]

const PAYMENTS: readonly PaymentState[] = [
  'paid',
  'paid',
  'paid',
  'paid',
  'paid',
  'awaiting_payment',
  'created',
]

/** Makes the same writes for the same seed: on seven payments, of which two are not paid yet. */
export async function makePlan(book: Book, seed: number): Promise<Plan> {
  const random = new Random(seed)
  const draft: Draft = { payments: [], asked: new Map(), keyId: book.askingKeyId }
  for (const state of PAYMENTS) {
    const paymentId = await addPayment(book, { state, totalFen: 2000 })
    draft.payments.push(paymentId)
    if (state !== 'paid') continue
    draft.asked.set(await addRefund(book, paymentId, 100), { paymentId, amountFen: 100 })
  }
  const makers = MIX.flatMap(([maker, times]) => Array.from({ length: times }, () => maker))
  return {
    asked: draft.asked,
    writes: shuffled(random, makers).map((maker) => maker(random, draft)),
  }
}

/** What is asked for in a plan, as who owns the tables writes it: past the function. */
export const askedByOwner = ({ writes }: Plan): Write[] =>
  writes
    .filter(({ kind }) => kind === 'ask')
    .map((write) => ({ ...write, role: 'owner', text: INSERT }))

/** The same things in an order that the generator chooses. */
function shuffled<T>(random: Random, things: readonly T[]): T[] {
  return things
    .map((thing) => ({ thing, place: random.below(1_000_000_000) }))
    .toSorted((one, two) => one.place - two.place)
    .map(({ thing }) => thing)
}

/** Runs the writes on four connections for each role, at once, and counts what became of them. */
export async function runWrites(book: Book, writes: readonly Write[]): Promise<Tally> {
  const tally: Tally = { accepted: 0, refused: 0, idle: 0, refusedBy: new Map() }
  const urls = { api: book.apiUrl, worker: book.workerUrl, owner: book.ownerUrl }
  const lanes = (['api', 'worker', 'owner'] as const).flatMap((role) => {
    const queue = writes.filter((write) => write.role === role)
    return Array.from({ length: 4 }, () => ({ database: connect(urls[role], 1), queue }))
  })
  await Promise.all(lanes.map(({ database, queue }) => drain(database, queue, tally)))
  return tally
}

async function drain(database: Database, queue: Write[], tally: Tally): Promise<void> {
  try {
    for (let write = queue.shift(); write !== undefined; write = queue.shift()) {
      const refusedBy = await attempt(database, write)
      if (refusedBy === 'nothing to change') tally.idle += 1
      else if (refusedBy === undefined) tally.accepted += 1
      else {
        tally.refused += 1
        tally.refusedBy.set(refusedBy, 1 + (tally.refusedBy.get(refusedBy) ?? 0))
      }
    }
  } finally {
    await database.close()
  }
}

/**
 * Who refused a write, if anybody did.
 * @throws the database's error when no rule of ours stands behind it.
 */
async function attempt(database: Database, write: Write): Promise<string | undefined> {
  try {
    const [row] = await run<{ outcome?: string }>(database, write.text, write.values)
    if (row === undefined) return 'nothing to change'
    return row.outcome === undefined || row.outcome === 'requested' ? undefined : row.outcome
  } catch (error) {
    const rule = refuser(error)
    if (rule === undefined) throw error
    return rule
  }
}

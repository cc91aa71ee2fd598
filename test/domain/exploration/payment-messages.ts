import type { PaidFact } from '../../../src/domain/channel.js'
import { fen } from '../../../src/domain/money.js'
import type { HeldResolution, PaymentFact, PaymentVerdict } from '../../../src/domain/payment.js'
import { insertRefund, movePayment, spokenFen, type Message, type Trial } from './trial.js'
import { newRefund, PARTIES, posted, TOTAL_FEN, type OrderTruth, type World } from './world.js'

/** Everything that can happen to the payment, and what the engine's rules make of it. */

const APP_ID = 'wx1'
const MCH_ID = '19'

const isPaid = (truth: OrderTruth): truth is 'exact' | 'short' | 'dollars' =>
  truth === 'exact' || truth === 'short' || truth === 'dollars'

export const paidAtChannelFen = (truth: OrderTruth): number =>
  isPaid(truth) ? (truth === 'short' ? TOTAL_FEN - 1 : TOTAL_FEN) : 0

const withTruth = (world: World, truth: OrderTruth): World => ({
  ...world,
  payment: { ...world.payment, truth },
})

function factOf(truth: OrderTruth, changes: Partial<PaidFact> = {}): PaidFact {
  const paidFen = fen(paidAtChannelFen(truth))
  return {
    kind: 'paid',
    appId: APP_ID,
    mchId: MCH_ID,
    outTradeNo: 'P1',
    transactionId: 't1',
    currency: truth === 'dollars' ? 'USD' : 'CNY',
    totalFen: paidFen,
    cashFen: paidFen,
    settlementFen: paidFen,
    paidAt: '2026-03-01T02:00:00.000Z',
    ...changes,
  }
}

interface Hearing {
  readonly fact: PaymentFact
  readonly revivesLate: boolean
}

/** A fact that waits in the inbox is applied by the real rule. */
function hear(world: World, { fact, revivesLate }: Hearing, trial: Trial): World {
  const { state, disposition, paidFen, transactionId } = world.payment
  const terms = {
    state,
    disposition,
    appId: APP_ID,
    mchId: MCH_ID,
    outTradeNo: 'P1',
    totalFen: TOTAL_FEN,
    paidFen,
    settlementFen: paidFen,
    transactionId,
    spokenFen: spokenFen(world),
    orderPaid: world.orderPaid,
    revivesLate,
  }
  const verdict = trial.rules.judgePayment(terms, fact)
  switch (verdict.kind) {
    case 'ignore':
      return world
    case 'close':
      return movePayment(world, 'closed', trial)
    case 'pay':
      return pay(world, verdict, trial)
    case 'resolve':
      return resolve(world, verdict.disposition, trial)
  }
}

function pay(
  world: World,
  { fact, disposition }: Extract<PaymentVerdict, { kind: 'pay' }>,
  trial: Trial,
): World {
  const isExact = fact.currency === 'CNY' && fact.totalFen === TOTAL_FEN && fact.appId === APP_ID
  if (disposition === 'accepted' && !isExact) trial.faults.add('money that differs is accepted')
  if (disposition === 'accepted' && world.orderPaid) {
    trial.faults.add('an order is paid by two payments')
  }
  const { postPaid, postHeld } = trial.rules
  const { totalFen: paidFen, settlementFen, transactionId } = fact
  const transfers =
    disposition === 'accepted'
      ? postPaid(PARTIES, paidFen, settlementFen)
      : postHeld(PARTIES, settlementFen)
  const moved = movePayment(world, 'paid', trial)
  if (moved === world) return world
  const paid = {
    ...moved,
    payment: { ...moved.payment, disposition, paidFen, transactionId },
    book: posted(world.book, transfers),
  }
  return disposition === 'surplus' ? openSurplusRefund(paid, trial) : paid
}

function resolve(world: World, disposition: 'accepted' | 'surplus', trial: Trial): World {
  if (disposition === 'accepted' && world.orderPaid) {
    trial.faults.add('an order is paid by two payments')
  }
  const paidFen = fen(world.payment.paidFen ?? 0)
  const transfers =
    disposition === 'accepted' ? trial.rules.postHeldAccepted(PARTIES, paidFen, paidFen) : []
  const resolved = {
    ...world,
    payment: { ...world.payment, disposition },
    book: posted(world.book, transfers),
  }
  return disposition === 'surplus' ? openSurplusRefund(resolved, trial) : resolved
}

/** All that is left of what came goes back, approved without a person. */
function openSurplusRefund(world: World, trial: Trial): World {
  const amountFen = (world.payment.paidFen ?? 0) - spokenFen(world)
  const refund = newRefund({ state: 'approved', origin: 'system', amountFen })
  return amountFen > 0 ? insertRefund(world, { ...refund, state: 'approved' }, trial) : world
}

const message = (name: string, apply: Message['apply']): Message => ({ name, apply })

/** The answer to placing the order, with what the channel really did meanwhile. */
function placing(): Message[] {
  const when = (apply: Message['apply']): Message['apply'] => {
    return (world, trial) => (world.payment.state === 'created' ? apply(world, trial) : world)
  }
  const placed = (world: World): World =>
    world.payment.truth === 'none' ? withTruth(world, 'open') : world
  return [
    message(
      'placing: placed',
      when((world, trial) => {
        return movePayment(placed(world), 'awaiting_payment', trial)
      }),
    ),
    message('placing: no answer, but placed', when(placed)),
    message(
      'placing: refused',
      when((world, trial) => movePayment(world, 'failed', trial)),
    ),
    message(
      'placing: refused, but placed',
      when((world, trial) => {
        return movePayment(placed(world), 'failed', trial)
      }),
    ),
  ]
}

/** What buyer and channel do, whether anybody is told or not. */
const ORDER_TRUTHS: readonly (readonly [OrderTruth, OrderTruth])[] = [
  ['open', 'exact'],
  ['open', 'short'],
  ['open', 'dollars'],
  ['open', 'closed'],
  // The buyer's last second crosses the closing.
  ['closed', 'exact'],
]

const happening = (): Message[] =>
  ORDER_TRUTHS.map(([from, to]) =>
    message(`at the channel: ${from} becomes ${to}`, (world) => {
      return world.payment.truth === from ? withTruth(world, to) : world
    }),
  )

function facts(): Message[] {
  return [false, true].flatMap((revivesLate) => {
    const suffix = revivesLate ? ', late money revives' : ''
    const told = (name: string, changes: Partial<PaidFact> = {}): Message =>
      message(`${name}${suffix}`, (world, trial) => {
        const { truth } = world.payment
        if (!isPaid(truth)) return world
        return hear(world, { fact: factOf(truth, changes), revivesLate }, trial)
      })
    return [
      told('notification: paid'),
      told('query: paid'),
      told('notification: paid under another appid', { appId: 'wx2' }),
      told('notification: another transaction', { transactionId: 't2' }),
      message(`expiry: asked, closed${suffix}`, (world, trial) => {
        const { truth } = world.payment
        const open = world.payment.state === 'created' || world.payment.state === 'awaiting_payment'
        if (!open) return world
        if (isPaid(truth)) return hear(world, { fact: factOf(truth), revivesLate }, trial)
        const closed = truth === 'open' ? withTruth(world, 'closed') : world
        return hear(closed, { fact: { kind: 'closed' }, revivesLate }, trial)
      }),
    ]
  })
}

function decisions(): Message[] {
  const person = { principalId: 'key-2', actingUser: 'Wang', reason: 'seen' }
  return (['accept', 'refund'] as const).map((as: HeldResolution) =>
    message(`held money: a person says ${as}`, (world, trial) => {
      const fact = { kind: 'resolve', as, ...person } as const
      return hear(world, { fact, revivesLate: false }, trial)
    }),
  )
}

const otherPayment = message('another payment of the order is accepted', (world) =>
  world.payment.disposition === 'accepted' ? world : { ...world, orderPaid: true },
)

export const PAYMENT_MESSAGES: readonly Message[] = [
  ...placing(),
  ...happening(),
  ...facts(),
  ...decisions(),
  otherPayment,
]

import type { Database } from '../../../src/db/pool.js'
import { paymentWorkflowId, refundWorkflowId } from '../../../src/domain/ids.js'
import type { PaymentAnswer, RefundAnswer } from '../../support/api-client.js'
import { eventually, MERCHANT_ID, placed, type Stack } from '../../support/stack.js'

/** How many times as fast as ours the sandbox's clock runs, while it does. */
export const BUSINESS_RATE = 60
const PATIENCE_MS = 90_000
const PAID_FEN = 10_000
const REFUNDED_FEN = 300
/** Two hours of the channel, which are two minutes here. */
const LONG_S = 7_200
/** Half an hour: long enough to be open while everything is lost. */
const SHORT_S = 1_800
/** The channel takes the refund and never says so, each time it is sent. */
const UNANSWERED_MS = 5_000
const UNPLACED_KEY = 'order-nobody-placed'
const UNPLACED_NO = 'UNPLACED-0001'

const REFUNDS = ['pending', 'accepted', 'unanswered', 'abnormal', 'tooPoor', 'behind'] as const
type RefundName = (typeof REFUNDS)[number]

interface Open {
  readonly payments: Readonly<Record<'paidLater' | 'paidMeanwhile' | 'never' | 'unplaced', string>>
  readonly refunds: Readonly<Record<RefundName, RefundAnswer>>
}

/**
 * A shop in the middle of its work: payments that wait, one of them not even placed, and a refund
 * in each state in which refunds wait. It can then lose something, go on, and be looked through.
 */
export class OpenBusiness {
  readonly #stack: Stack
  readonly #open: Open

  private constructor(stack: Stack, open: Open) {
    this.#stack = stack
    this.#open = open
  }

  static async begin(stack: Stack): Promise<OpenBusiness> {
    const { control } = stack.sandbox
    const { mchId } = stack.merchant
    const paid = await Promise.all(REFUNDS.map(() => paidPayment(stack)))
    const asked = await Promise.all(
      paid.map(async ({ id }) => {
        const refund = { paymentId: id, amountFen: REFUNDED_FEN }
        return (await stack.requester.requestRefund(refund)).body
      }),
    )
    const refund = (name: RefundName): RefundAnswer => at(asked, REFUNDS.indexOf(name))
    const abnormal = at(paid, REFUNDS.indexOf('abnormal'))
    await control.setCard({ mchId, outTradeNo: abnormal.outTradeNo, frozen: true })
    await approve(stack, refund('abnormal'), ({ state }) => state === 'needs_attention')
    // From here on the channel takes its time: what it accepted stays accepted.
    await control.setRate(1)
    await approve(stack, refund('accepted'), ({ cause }) => cause === 'accepted')
    await control.armFaults([
      {
        match: { call: 'refund', outRefundNo: refund('unanswered').outRefundNo },
        fault: 'timeout_after',
        ms: UNANSWERED_MS,
        times: -1,
      },
      { match: { call: 'unifiedorder', outTradeNo: UNPLACED_NO }, fault: 'systemerror', times: -1 },
    ])
    await approve(stack, refund('unanswered'), ({ state }) => state === 'refunding')
    await control.setBalance(mchId, 0)
    await approve(stack, refund('tooPoor'), ({ cause }) => cause === 'insufficient_balance')
    await approve(stack, refund('behind'), ({ state }) => state === 'approved')
    const create = async (expiresInSeconds: number) => {
      const order = { amountFen: PAID_FEN, expiresInSeconds }
      const { id } = (await stack.requester.createPayment(order)).body
      // On a busy machine placing may take longer than the first answer.
      const state = async () => (await stack.requester.payment(id)).body.state
      await eventually(async () => (await state()) === 'awaiting_payment', PATIENCE_MS)
      return id
    }
    const [unplaced, paidLater, paidMeanwhile, never] = await Promise.all([
      createUnplaced(stack),
      create(LONG_S),
      create(LONG_S),
      create(SHORT_S),
    ])
    if (unplaced.status !== 202) throw new Error('An order was placed that nobody could place.')
    const payments = { paidLater, paidMeanwhile, never, unplaced: unplaced.body.id }
    const refunds = Object.fromEntries(REFUNDS.map((name) => [name, refund(name)]))
    return new OpenBusiness(stack, { payments, refunds: refunds as Open['refunds'] })
  }

  /** The workflows that its rows should have. */
  async workflowIds(): Promise<string[]> {
    const payments = Object.values(this.#open.payments).map(async (id) => {
      const { body } = await this.#stack.requester.payment(id)
      return paymentWorkflowId(MERCHANT_ID, body.outTradeNo)
    })
    const refunds = Object.values(this.#open.refunds)
    return [
      ...(await Promise.all(payments)),
      ...refunds.map(({ outRefundNo }) => refundWorkflowId(MERCHANT_ID, outRefundNo)),
    ]
  }

  /** A buyer pays and the engine may not be able to take note of it. */
  async payMeanwhile(): Promise<void> {
    await pay(this.#stack, this.#open.payments.paidMeanwhile)
  }

  /** What people and the channel do once everything runs again. */
  async goOn(): Promise<void> {
    const { requester, approver, sandbox, merchant } = this.#stack
    const { payments, refunds } = this.#open
    const { mchId } = merchant
    await sandbox.control.clearFaults()
    await sandbox.control.setRate(BUSINESS_RATE)
    await sandbox.control.setBalance(mchId, null)
    await approver.decide(refunds.pending.id, 'approve')
    await sandbox.control.resolve({ mchId, outRefundNo: refunds.abnormal.outRefundNo })
    await pay(this.#stack, payments.paidLater)
    await eventually(async () => {
      const { status, body } = await createUnplaced(this.#stack)
      return status === 201 && body.id === payments.unplaced && body.frontEnd !== null
    }, PATIENCE_MS)
    await pay(this.#stack, payments.unplaced)
    const { never, ...paid } = payments
    await this.#until(Object.values(paid), (id) => requester.payment(id), 'paid')
    const asked = Object.values(refunds).map(({ id }) => id)
    await this.#until(asked, (id) => requester.refund(id), 'done')
    await this.#until([never], (id) => requester.payment(id), 'closed')
  }

  /**
   * What stands in one book only, the sandbox's or ours, a line each: every order and refund by its
   * number, how it ended and its fen, and what came in and went out by the journal.
   */
  async differences(owner: Database = this.#stack.owner): Promise<string[]> {
    const { sandbox, merchant } = this.#stack
    const book = await sandbox.control.book({ mchId: merchant.mchId })
    const paid = REFUNDS.length + Object.keys(this.#open.payments).length - 1
    const theirs = [
      ...book.orders.map(({ outTradeNo, tradeState, refundedFee }) =>
        ['order', outTradeNo, PAID_STATES.includes(tradeState), refundedFee].join(' '),
      ),
      ...book.refunds.map(({ outRefundNo, refundStatus, refundFee }) =>
        ['refund', outRefundNo, refundStatus === 'SUCCESS', refundFee].join(' '),
      ),
      `P1 ${paid * PAID_FEN}`,
      `J2 ${REFUNDS.length * REFUNDED_FEN}`,
    ]
    const ours = (await owner.rows<{ line: string }>({ text: OUR_LINES }, [])).map(
      ({ line }) => line,
    )
    return [
      ...without(theirs, ours).map((line) => `only theirs: ${line}`),
      ...without(ours, theirs).map((line) => `only ours: ${line}`),
    ]
  }

  async #until(
    ids: readonly string[],
    read: (id: string) => Promise<{ readonly body: { readonly state: string } }>,
    state: string,
  ): Promise<void> {
    for (const id of ids) {
      await eventually(async () => (await read(id)).body.state === state, PATIENCE_MS)
    }
  }
}

const PAID_STATES: readonly string[] = ['SUCCESS', 'REFUND']

const OUR_LINES = `
  select concat_ws(' ', 'order', out_trade_no, (state = 'paid')::text, refunded_fen) as line
    from payments
  union all
  select concat_ws(' ', 'refund', out_refund_no, (state = 'done')::text, amount_fen) from refunds
  union all
  select concat_ws(' ', rule, sum(amount_fen)) from journal_transfers
    where rule in ('P1', 'P2', 'J2') group by rule`

/** A line that stands twice where it should stand once is left over. */
function without(lines: readonly string[], others: readonly string[]): string[] {
  const left = [...others]
  return lines.filter((line) => {
    const index = left.indexOf(line)
    if (index >= 0) left.splice(index, 1)
    return index < 0
  })
}

const createUnplaced = (stack: Stack) =>
  stack.requester.createPayment(
    { amountFen: PAID_FEN, outTradeNo: UNPLACED_NO, expiresInSeconds: LONG_S },
    UNPLACED_KEY,
  )

async function paidPayment(stack: Stack): Promise<PaymentAnswer> {
  const body = await placed(stack, { amountFen: PAID_FEN })
  await pay(stack, body.id)
  await eventually(async () => (await stack.requester.payment(body.id)).body.state === 'paid')
  return body
}

async function pay(stack: Stack, id: string): Promise<void> {
  const { body } = await stack.requester.payment(id)
  await stack.sandbox.control.pay({ mchId: stack.merchant.mchId, outTradeNo: body.outTradeNo })
}

async function approve(
  stack: Stack,
  { id }: RefundAnswer,
  isSo: (refund: RefundAnswer) => boolean,
): Promise<void> {
  await stack.approver.decide(id, 'approve')
  await eventually(async () => isSo((await stack.requester.refund(id)).body), PATIENCE_MS)
}

function at<T>(list: readonly T[], index: number): T {
  const found = list[index]
  if (found === undefined) throw new Error('There are not so many.')
  return found
}

import { randomUUID } from 'node:crypto'

import { Client, Connection } from '@temporalio/client'
import { Agent, request } from 'undici'

import { paymentWorkflowId } from '../src/domain/ids.js'
import { countActions, countEvents } from '../test/support/history.js'
import { baselinePayment, notified } from './baseline/workflows.js'
import { median, runClosedLoop, type Measured } from './support/loop.js'
import { createPayment } from './support/orders.js'
import { BASELINE_QUEUE, MERCHANT_ID, type BenchStack } from './support/stack.js'
import { watchPaid, type Watcher } from './support/watcher.js'

const IN_FLIGHT = 30
const WARM_UP_MS = 5_000
const MEASURE_MS = 12_000
const ROUNDS = 3

/** What one flow costs on Temporal. */
export interface HistoryCount {
  readonly events: number
  readonly actions: number
}

export interface PaymentsResult {
  readonly ours: Measured
  readonly baseline: Measured
  readonly ratio: number
  readonly oursCount: HistoryCount
  readonly baselineCount: HistoryCount
}

/**
 * A paid payment through HTTP (create, signed notification, paid in the book) against a bare
 * workflow of the usual shape, on the same dev server, 30 in flight, median of three rounds.
 */
export async function benchPayments(stack: BenchStack): Promise<PaymentsResult> {
  const connection = await Connection.connect({ address: stack.temporalAddress })
  const temporal = new Client({ connection })
  const watcher = watchPaid(stack)
  const agent = new Agent({ connections: IN_FLIGHT })
  const ours: Measured[] = []
  const baseline: Measured[] = []
  let lastTradeNo = ''
  let lastOrderId = ''
  const load = { inFlight: IN_FLIGHT, warmUpMs: WARM_UP_MS, measureMs: MEASURE_MS }
  for (let round = 0; round < ROUNDS; round += 1) {
    ours.push(
      await runClosedLoop({
        ...load,
        flow: async () => {
          lastTradeNo = await payOnce(stack, agent, watcher)
        },
      }),
    )
    baseline.push(
      await runClosedLoop({
        ...load,
        flow: async () => {
          lastOrderId = await baselineOnce(temporal)
        },
      }),
    )
  }
  await watcher.stop()
  await agent.close()
  const count = async (workflowId: string): Promise<HistoryCount> => {
    const history = await temporal.workflow.getHandle(workflowId).fetchHistory()
    return { events: countEvents(history), actions: countActions(history) }
  }
  const counts = {
    oursCount: await count(paymentWorkflowId(MERCHANT_ID, lastTradeNo)),
    baselineCount: await count(lastOrderId),
  }
  await connection.close()
  const middle = { ours: middleOf(ours), baseline: middleOf(baseline) }
  const ratio = median(ours.map((each, round) => each.perSecond / perSecond(baseline[round])))
  return { ...middle, ...counts, ratio }
}

const perSecond = (measured: Measured | undefined): number => measured?.perSecond ?? Number.NaN

function middleOf(rounds: readonly Measured[]): Measured {
  const middle = median(rounds.map((each) => each.perSecond))
  const found = rounds.find((each) => each.perSecond === middle)
  if (found === undefined) throw new Error('There was no round.')
  return found
}

async function payOnce(stack: BenchStack, agent: Agent, watcher: Watcher): Promise<string> {
  const payment = await createPayment(stack, agent)
  const paid = watcher.whenPaid(payment.id)
  const reply = await request(`${stack.sandboxUrl}/_control/pay`, {
    method: 'POST',
    dispatcher: stack.sandboxAgent,
    body: JSON.stringify({ mchId: stack.merchant.mchId, outTradeNo: payment.outTradeNo }),
  })
  await reply.body.dump()
  await paid
  return payment.outTradeNo
}

async function baselineOnce(temporal: Client): Promise<string> {
  const workflowId = `baseline:${randomUUID()}`
  const handle = await temporal.workflow.start(baselinePayment, {
    workflowId,
    taskQueue: BASELINE_QUEUE,
    args: [workflowId],
  })
  await handle.signal(notified)
  await handle.result()
  return workflowId
}

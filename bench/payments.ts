import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'

import { Client, Connection } from '@temporalio/client'
import { Agent, request } from 'undici'

import { paymentWorkflowId } from '../src/domain/ids.js'
import { countActions, countEvents } from '../test/support/history.js'
import { baselinePayment, notified } from './baseline/workflows.js'
import { median, runClosedLoop, type Measured } from './support/loop.js'
import { BASELINE_QUEUE, MERCHANT_ID, type BenchStack } from './support/stack.js'

const IN_FLIGHT = 30
const WARM_UP_MS = 5_000
const MEASURE_MS = 12_000
const ROUNDS = 3
const LOOK_EVERY_MS = 20

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
  const created = await request(`${stack.apiUrl}/v1/payments`, {
    method: 'POST',
    dispatcher: agent,
    headers: {
      authorization: `Bearer ${stack.apiKey}`,
      'content-type': 'application/json',
      'idempotency-key': randomUUID(),
    },
    body: JSON.stringify({
      amountFen: 1_000,
      description: 'bench',
      openid: 'oUpF8uMuAJO2pxb1Q9zNjWeS6o',
    }),
  })
  const payment = (await created.body.json()) as { id: string; outTradeNo: string }
  if (created.statusCode !== 201) throw new Error(`Creating answered ${created.statusCode}.`)
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

interface Watcher {
  whenPaid(paymentId: string): Promise<void>
  stop(): Promise<void>
}

/** Looks into the book for all waiting payments at once, so that watching costs next to nothing. */
function watchPaid({ owner }: BenchStack): Watcher {
  const waiting = new Map<string, () => void>()
  let stopped = false
  const statement = {
    name: 'bench_paid',
    text: `select id from payments where id = any($1::uuid[]) and state = 'paid'`,
  }
  const looking = (async () => {
    while (!stopped) {
      const ids = [...waiting.keys()]
      const rows = ids.length > 0 ? await owner.rows<{ id: string }>(statement, [ids]) : []
      for (const { id } of rows) {
        waiting.get(id)?.()
        waiting.delete(id)
      }
      await sleep(LOOK_EVERY_MS)
    }
  })()
  return {
    whenPaid: (id) => new Promise((resolve) => waiting.set(id, resolve)),
    async stop() {
      stopped = true
      await looking
    },
  }
}

import { afterAll, beforeAll, expect, it } from 'vitest'

import { paymentWorkflowId } from '../../src/domain/ids.js'
import { MERCHANT_ID, startStack, type Stack } from '../support/stack.js'
import { codeOf, inRounds, jumbled, RATE, until } from './support/rounds.js'

const ROUNDS = 4
const CALLERS = 50
/** Placed, or still being placed, or nobody could say in time: the same key asks again. */
const TOLD: readonly (string | number)[] = [201, 202, 'engine_unavailable']

let stack: Stack

beforeAll(async () => {
  stack = await startStack({ rate: RATE })
})
afterAll(() => stack.stop())

const rowsOf = (outTradeNo: string) =>
  stack.owner.rows<{ id: string }>({ text: 'select id from payments where out_trade_no = $1' }, [
    outTradeNo,
  ])

it('fifty creates with one key: one row, one workflow, one order, and one answer', async () => {
  await inRounds(ROUNDS, async (random) => {
    const number = `ONE-KEY-${random.below(1_000_000)}`
    const body = { outTradeNo: number, amountFen: 1_000, expiresInSeconds: 86_400 }
    const create = () =>
      until(async () => {
        const answer = await stack.requester.createPayment(body, number)
        expect(TOLD).toContain(codeOf(answer))
        return answer.status === 201 && answer
      })
    const answers = await jumbled(random, 40, ...Array<typeof create>(CALLERS).fill(create))

    const told = answers.map(({ body: { id, state, outTradeNo, frontEnd } }) =>
      JSON.stringify([id, state, outTradeNo, frontEnd?.package]),
    )
    expect(new Set(told).size).toBe(1)
    expect(await rowsOf(number)).toHaveLength(1)
    const { orders } = await stack.sandbox.control.book({ mchId: stack.merchant.mchId })
    expect(orders.filter(({ outTradeNo }) => outTradeNo === number)).toHaveLength(1)
    const workflowId = paymentWorkflowId(MERCHANT_ID, number)
    const query = `WorkflowId = '${workflowId}'`
    await until(async () => (await stack.temporal.workflow.count(query)).count > 0)
    expect((await stack.temporal.workflow.count(query)).count).toBe(1)
  })
}, 120_000)

it('two orders with one key: one of them stands, and the other is told so', async () => {
  await inRounds(ROUNDS, async (random) => {
    const key = `TWO-ORDERS-${random.below(1_000_000)}`
    const create = (n: number) => () =>
      stack.requester.createPayment(
        { outTradeNo: `${key}-${n}`, amountFen: 1_000 + n, expiresInSeconds: 86_400 },
        key,
      )
    const callers = Array.from({ length: 10 }, (_, n) => create(n % 2))
    const answers = await jumbled(random, 20, ...callers)
    const codes = answers.map(codeOf)
    expect(codes.filter((code) => code === 'idempotency_key_reused')).toHaveLength(5)
    expect(codes.filter((code) => TOLD.includes(code))).toHaveLength(5)
    const rows = [...(await rowsOf(`${key}-0`)), ...(await rowsOf(`${key}-1`))]
    expect(rows).toHaveLength(1)
  })
}, 120_000)

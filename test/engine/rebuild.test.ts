import { beforeEach, describe, expect, test } from 'vitest'

import { rebuild } from '../../src/engine/rebuild.js'
import { useWorkshop } from '../support/workshop.js'

const workshop = useWorkshop()

let running: Set<string>
let listed: string[]
let started: string[]
let progress: number[]

beforeEach(() => {
  running = new Set()
  listed = []
  started = []
  progress = []
})

const engine = {
  isRunning: async (workflowId: string) => running.has(workflowId),
  async resumePayment({ outTradeNo }: { outTradeNo: string }) {
    started.push(outTradeNo)
  },
  async resumeRefund({ outRefundNo }: { outRefundNo: string }) {
    if (started.includes(outRefundNo)) throw new Error('the engine does not want it')
    started.push(outRefundNo)
  },
  async *runningWorkflowIds() {
    yield* listed
  },
}

const run = (isDryRun = false, perSecond = 9_999) =>
  rebuild(
    { database: workshop.seed.worker, engine },
    { isDryRun, perSecond, onProgress: (done) => progress.push(done) },
  )

describe('rebuild', () => {
  test('rebuild: rows that are not over: are started unless they run', async () => {
    const { seed } = workshop
    const open = await seed.payment()
    const other = await seed.payment()
    const paid = await seed.paidPayment()
    const refund = await seed.refund(paid)
    const over = await seed.refund(paid)
    await seed.change(over, { state: 'cancelled' })
    running.add(`payment:teahouse:${other.outTradeNo}`)
    const dry = await run(true)
    expect(started).toEqual([])
    expect(dry).toMatchObject({ isDryRun: true, payments: { running: 1, started: 1 } })
    const done = await run()
    expect(done).toEqual({ ...dry, isDryRun: false })
    expect(done.refunds).toEqual({ running: 0, started: 1 })
    expect(started.toSorted()).toEqual([open.outTradeNo, refund.outRefundNo].toSorted())
    expect(progress.at(-1)).toBe(1)
  })

  test('rebuild: a start that is refused: is named and the others go on', async () => {
    const refund = await workshop.seed.refund(await workshop.seed.paidPayment())
    started.push(refund.outRefundNo)
    const { failed, refunds } = await run()
    const workflowId = `refund:teahouse:${refund.outRefundNo}`
    expect(failed).toEqual([{ workflowId, why: 'the engine does not want it' }])
    expect(refunds.started).toBe(1)
  })

  test('rebuild: workflows without a row: are named, those of other kinds are not', async () => {
    const paid = await workshop.seed.paidPayment()
    const refund = await workshop.seed.refund(paid)
    listed = [
      `refund:teahouse:${refund.outRefundNo}`,
      'refund:teahouse:R-NOBODY',
      `refund:other-shop:${refund.outRefundNo}`,
      `payment:teahouse:${paid.outTradeNo}`,
      'payment:teahouse:P-NOBODY',
      'adopt:teahouse:P-NOBODY',
      'temporal-sys-history-scanner',
    ]
    expect((await run()).withoutRow).toEqual([
      'payment:teahouse:P-NOBODY',
      `refund:other-shop:${refund.outRefundNo}`,
      'refund:teahouse:R-NOBODY',
    ])
  })

  test('rebuild: its rate: is kept', async () => {
    for (let count = 0; count < 10; count += 1) await workshop.seed.payment()
    const beganAtMs = performance.now()
    await run(true, 100)
    expect(performance.now() - beganAtMs).toBeGreaterThan(90)
  })
})

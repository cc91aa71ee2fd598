import { describe, expect, test } from 'vitest'

import { refundWorkflowId } from '../../src/domain/ids.js'
import { isRefundOver, REFUND_STATES } from '../../src/domain/states.js'
import { REFUND_WORKFLOW } from '../../src/workflows/messages.js'
import {
  DAY_MS,
  decideById,
  newRefundSubject,
  refundIn,
  startRefund,
  useMockedRefunds,
} from '../support/mocked-refunds.js'

const mocked = useMockedRefunds()
const { temporal, withMocks, handleOf, resultOf, elapsedMs, attentionOf, detailsOf } = mocked

describe('refundWorkflow and what is typed into Temporal', () => {
  test('approve with a reason: is applied with an id of its own and the run', async () => {
    const refund = newRefundSubject()
    const given: unknown[] = []
    await withMocks(
      refund.id,
      {
        approveByOperator: (_id, approval) => {
          given.push(approval)
          return refundIn('approved')
        },
        refundAtChannel: () => undefined,
        settleRefund: () => refundIn('done'),
      },
      async (rig) => {
        await startRefund(rig, refund)
        await handleOf(refund).signal('approve', { reason: 'seen it' })
        expect(await resultOf(refund)).toEqual({ state: 'done' })
        const { runId } = await handleOf(refund).describe()
        expect(given).toEqual([
          { decisionId: expect.stringMatching(/^[0-9a-f-]{36}$/), reason: 'seen it', runId },
        ])
      },
    )
  })

  test('approve over the limit: is refused, says so, and a decision still counts', async () => {
    const refund = newRefundSubject()
    await withMocks(
      refund.id,
      {
        approveByOperator: () => refundIn('pending', { note: 'Refused: over the limit.' }),
        decideRefund: decideById,
      },
      async (rig) => {
        await startRefund(rig, refund)
        await handleOf(refund).signal('approve', { reason: 'seen it' })
        await handleOf(refund).signal('approve', { reason: 'again' })
        await rig.tried('approveByOperator', 2)
        expect(await detailsOf(refund)).toContain('Refused: over the limit.')
        await rig.engine.refundDecision(refund, 'rejected')
        expect(await resultOf(refund)).toEqual({ state: 'rejected' })
      },
    )
  })

  const junk: [string, unknown[]][] = [
    ['nothing', []],
    ['null', [null]],
    ['a number', [42]],
    ['a list', [['approved']]],
    ['an object', [{ state: 'approved', amountFen: 1 }]],
    ['a very long text', ['x'.repeat(10_000)]],
  ]
  test.each(junk)('raw signals with %s: stall nothing and decide nothing', async (_name, args) => {
    const refund = newRefundSubject()
    const pending = refundIn('pending', { decideInMs: DAY_MS })
    await withMocks(
      refund.id,
      {
        decideRefund: (_id, decisionId) =>
          decisionId === 'rejected' ? refundIn('rejected') : pending,
        approveByOperator: () => pending,
        settleRefund: () => pending,
      },
      async (rig) => {
        await startRefund(rig, refund)
        for (const signal of ['decide', 'approve', 'fact', 'nobody-listens']) {
          await handleOf(refund).signal(signal, ...args)
        }
        await rig.tried('approveByOperator')
        await rig.tried('settleRefund')
        await rig.engine.refundDecision(refund, 'rejected')
        expect(await resultOf(refund)).toEqual({ state: 'rejected' })
        expect(rig.calls.filter((call) => call.startsWith('channel'))).toEqual([])
      },
    )
  })

  test.each<[string, unknown, unknown]>([
    ['no reason', { reason: undefined }, ''],
    ['a reason that is no text', { reason: 7 }, 7],
  ])('approve with %s: is passed on for the activity to judge', async (_name, sent, given) => {
    const refund = newRefundSubject()
    let reason: unknown
    await withMocks(
      refund.id,
      {
        approveByOperator: (_id, approval) => {
          reason = approval.reason
          return refundIn('rejected')
        },
      },
      async (rig) => {
        await startRefund(rig, refund)
        await handleOf(refund).signal('approve', sent)
        await resultOf(refund)
        expect(reason).toEqual(given)
      },
    )
  })
})

describe('refundWorkflow started from its row', () => {
  test.each(REFUND_STATES.map((from) => ({ from })))(
    '$from: does what is left',
    async ({ from }) => {
      const refund = newRefundSubject()
      const isSent = from === 'approved' || from === 'refunding' || from === 'needs_attention'
      const cause = from === 'needs_attention' ? 'refused' : null
      await withMocks(
        refund.id,
        {
          loadRefund: () => refundIn(from, { cause, decideInMs: DAY_MS }),
          expireRefund: () => refundIn('expired'),
          refundAtChannel: () => undefined,
          settleRefund: () => refundIn('done'),
        },
        async ({ calls }) => {
          await temporal.client.workflow.start(REFUND_WORKFLOW, {
            taskQueue: temporal.taskQueue,
            workflowId: refundWorkflowId(refund.merchantId, refund.outRefundNo),
            args: [{ refundId: refund.id, decideInMs: 0, resume: true }],
          })
          const id = `("${refund.id}")`
          const asking = [`channel refundAtChannel${id}`, `local settleRefund${id}`]
          const left = from === 'pending' ? [`local expireRefund${id}`] : isSent ? asking : []
          const end = from === 'pending' ? 'expired' : isSent ? 'done' : from
          expect(await resultOf(refund)).toEqual({ state: end })
          expect(isRefundOver(end)).toBe(true)
          expect(calls).toEqual([`local loadRefund${id}`, ...left])
          if (from === 'pending') {
            expect(await elapsedMs(refund)).toBeGreaterThanOrEqual(DAY_MS)
          }
          const attention = { pending: [null], needs_attention: ['refused', null] } as const
          expect(await attentionOf(refund)).toEqual(
            from in attention ? attention[from as keyof typeof attention] : [null],
          )
        },
      )
    },
  )
})

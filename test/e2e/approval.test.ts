import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { addKey } from '../../src/cli/merchants.js'
import { DEFAULT_POLICY, type ApprovalPolicy } from '../../src/domain/approval.js'
import { refundWorkflowId } from '../../src/domain/ids.js'
import { approveSignal } from '../../src/workflows/messages.js'
import { ApiClient, type RefundAnswer } from '../support/api-client.js'
import { eventually, MERCHANT_ID, placed, startStack, type Stack } from '../support/stack.js'

let stack: Stack
/** Who manages the shop, and a second office that decides, too. */
let manager: ApiClient
let other: ApiClient

beforeAll(async () => {
  stack = await startStack({ rate: 60, operatorLimitFen: 5_000 })
  const client = async (name: string, scopes: readonly string[]) => {
    const { key } = await addKey(stack.owner, { merchantId: MERCHANT_ID, name, scopes })
    return new ApiClient(stack.apiUrl, key)
  }
  manager = await client('head', ['merchants:read', 'merchants:write', 'audit:read'])
  other = await client('other office', ['refunds:decide', 'refunds:read'])
})
afterAll(() => stack.stop())

async function policy(change: Partial<ApprovalPolicy>): Promise<void> {
  const body = { ...DEFAULT_POLICY, ...change, actingUser: 'head' }
  const { status } = await manager.send('POST', `/v1/merchants/${MERCHANT_ID}/policies`, { body })
  expect(status).toBe(201)
}

async function stopSwitch(refundsStopped: boolean): Promise<void> {
  const settings = {
    name: '原路小店',
    operatorLimitFen: 5_000,
    selfApproval: false,
    latePayments: 'refund',
  }
  const body = { ...settings, refundsStopped, actingUser: 'head' }
  const { status } = await manager.send('PUT', `/v1/merchants/${MERCHANT_ID}`, { body })
  expect(status).toBe(200)
}

async function asked(body: object = {}): Promise<RefundAnswer> {
  const { id: paymentId, outTradeNo } = await placed(stack)
  await stack.sandbox.control.pay({ mchId: stack.merchant.mchId, outTradeNo })
  await eventually(async () => (await stack.requester.payment(paymentId)).body.state === 'paid')
  return (await stack.requester.requestRefund({ paymentId, amountFen: 1_000, ...body })).body
}

const stateIs = (id: string, state: string) =>
  eventually(async () => (await stack.requester.refund(id)).body.state === state)

async function waysOf(id: string): Promise<string[]> {
  type Lines = { readonly items: readonly { actorKind: string; action: string }[] }
  const { body } = await manager.send<Lines>('GET', `/v1/audit?subjectId=${id}`)
  return body.items.map(({ actorKind, action }) => `${actorKind} ${action}`)
}

describe('approval', () => {
  it('by itself: goes all the way without a person', async () => {
    await policy({ rules: [{ upToFen: 1_000, approvals: 0 }, { approvals: 1 }] })
    const refund = await asked()
    expect(refund.state).toBe('approved')
    await stateIs(refund.id, 'done')
    expect(await waysOf(refund.id)).toContain('policy refund.approved')
  })

  it('of two: the first waits for another, which no signal can be', async () => {
    await policy({ rules: [{ approvals: 2 }] })
    const { id, outRefundNo } = await asked()
    const first = await stack.approver.decide(id, 'approve')
    expect([first.status, first.body.state]).toEqual([200, 'pending'])
    const again = await other.decide(id, 'approve')
    expect([again.status, again.body.code]).toEqual([409, 'same_principal'])
    const workflow = stack.temporal.workflow.getHandle(refundWorkflowId(MERCHANT_ID, outRefundNo))
    await workflow.signal(approveSignal, { reason: 'in a hurry' })
    await eventually(async () =>
      (await waysOf(id)).includes('temporal-operator refund.approve_refused'),
    )
    expect((await stack.requester.refund(id)).body.state).toBe('pending')
    const second = await other.decide(id, 'approve', 'zhao.min')
    expect([second.status, second.body.state]).toEqual([
      200,
      expect.stringMatching(/^(approved|refunding|done)$/),
    ])
    await stateIs(id, 'done')
  })

  it('over the limit of the day, or of a person: is refused, and says so', async () => {
    await policy({ personDayLimitFen: 1_500 })
    const [one, two] = [await asked(), await asked()]
    await stack.approver.decide(one.id, 'approve')
    await stateIs(one.id, 'done')
    const own = await stack.approver.decide(two.id, 'approve')
    expect([own.status, own.body.code]).toEqual([409, 'approver_limit_reached'])
    await policy({ dayLimitFen: 500 })
    const all = await other.decide(two.id, 'approve', 'zhao.min')
    expect([all.status, all.body.code]).toEqual([409, 'daily_limit_reached'])
    await policy({})
    expect((await other.decide(two.id, 'approve', 'zhao.min')).status).toBe(200)
    await stateIs(two.id, 'done')
  })

  it('while refunds are stopped: is recorded, not sent, and goes on afterwards', async () => {
    const refund = await asked()
    await stopSwitch(true)
    expect([200, 202]).toContain((await stack.approver.decide(refund.id, 'approve')).status)
    const held = await eventually(async () => {
      const { body } = await stack.requester.send<RefundAnswer & { holdReason: string | null }>(
        'GET',
        `/v1/refunds/${refund.id}`,
      )
      return body.holdReason !== null && body
    })
    expect(held).toMatchObject({ state: 'approved', holdReason: 'stopped', submitCount: 0 })
    await stopSwitch(false)
    await stateIs(refund.id, 'done')
  })
})

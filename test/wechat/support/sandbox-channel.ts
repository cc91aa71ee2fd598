import type { PlaceOrder, SubmitRefund } from '../../../src/domain/channel.js'
import { fen } from '../../../src/domain/money.js'
import type { SandboxOptions } from '../../../src/sandbox/main.js'
import { createWeChatChannel } from '../../../src/wechat/channel.js'
import type { WeChatChannel } from '../../../src/wechat/channel.js'
import type { V2Call } from '../../../src/wechat/v2/error-codes.js'
import { startTestSandbox } from '../../support/sandbox.js'
import type { SandboxFault, TestSandbox } from '../../support/sandbox.js'

const WAITING = { urgency: 'waiting' } as const
const TIMES = { connectMs: 10_000, answerMs: 2_000 }

/** A sandbox and a channel to it as the worker has one. */
export interface ChannelToSandbox {
  readonly sandbox: TestSandbox
  readonly channel: WeChatChannel
  readonly order: PlaceOrder
  readonly refund: SubmitRefund
  /** Makes the next answer go wrong. */
  arm(fault: SandboxFault & { readonly code?: string }): Promise<unknown>
  /** Any call, about the one order or a refund of it. */
  call(call: V2Call): Promise<{ readonly kind: string }>
  stop(): Promise<void>
}

export async function startChannelToSandbox(
  options: SandboxOptions = {},
): Promise<ChannelToSandbox> {
  const sandbox = await startTestSandbox(options)
  const [merchant] = sandbox.merchants
  const { mchId, appId, certPem, keyPem } = merchant
  const channel = createWeChatChannel({
    mchId,
    apiV2Key: merchant.apiV2Key,
    signType: 'HMAC-SHA256',
    opUserId: mchId,
    baseUrl: sandbox.url,
    caPem: sandbox.caPem,
    clientCertificate: { certPem, keyPem },
    timeouts: { waiting: TIMES, background: TIMES },
  })
  const order = {
    appId,
    outTradeNo: 'T20260101000001',
    body: '原路-水果',
    totalFen: fen(1_000),
    payerIp: '203.0.113.7',
    openid: 'oUpF8uMEb4qRXf22hE3X68TekukE',
    notifyUrl: 'https://pay.example.com/notify/t/payment',
  }
  const refund = {
    ...order,
    outRefundNo: 'R20260101000001',
    refundFen: fen(100),
    reason: '商品缺货',
  }
  const calls: Readonly<Record<V2Call, () => Promise<{ readonly kind: string }>>> = {
    unifiedorder: () => channel.placeOrder(order, WAITING),
    orderquery: () => channel.queryOrder(order, WAITING),
    closeorder: () => channel.closeOrder(order, WAITING),
    refund: () => channel.submitRefund(refund, WAITING),
    refundquery: () => channel.queryRefund(refund, WAITING),
  }
  return {
    sandbox,
    channel,
    order,
    refund,
    arm: (fault) => sandbox.control.armFaults([{ times: 1, ...fault }]),
    call: (call) => calls[call](),
    stop: async () => {
      await channel.close()
      await sandbox.stop()
    },
  }
}

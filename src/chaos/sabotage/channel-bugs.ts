import type { OpenAccount } from '../../activities/dependencies.js'
import type { Channel } from '../../domain/channel.js'
import type { Sabotage } from './sabotage.js'

/** Bugs between the engine and the channel: a channel that does what a wrong program would do. */

/** An account whose channel does some of its calls otherwise. */
const withChannel =
  (change: (channel: Channel) => Partial<Channel>) =>
  ({ account, channel }: OpenAccount): OpenAccount => ({
    account,
    channel: {
      placeOrder: (...call) => channel.placeOrder(...call),
      queryOrder: (...call) => channel.queryOrder(...call),
      closeOrder: (...call) => channel.closeOrder(...call),
      submitRefund: (...call) => channel.submitRefund(...call),
      queryRefund: (...call) => channel.queryRefund(...call),
      listRefunds: (...call) => channel.listRefunds(...call),
      ...change(channel),
    },
  })

const tries = new Map<string, number>()

export const newNumberOnRetry: Sabotage = {
  sentence: 'a refund that was not answered is sent again under another number',
  offence: 'refunded_twice',
  processes: {
    worker: {
      account: withChannel((channel) => ({
        async submitRefund(refund, options) {
          const { outRefundNo } = refund
          const before = tries.get(outRefundNo) ?? 0
          tries.set(outRefundNo, before + 1)
          const number = before === 0 ? outRefundNo : `${outRefundNo}-${before + 1}`
          return channel.submitRefund({ ...refund, outRefundNo: number }, options)
        },
      })),
    },
  },
  async provoke(scene) {
    const payment = await scene.paidOrder(1_000)
    const refund = await scene.newRefund(payment, 300)
    const { outRefundNo } = refund
    // A notification would tell how it ended before the same is sent again.
    await scene.arm(
      { match: { call: 'refund', outRefundNo }, fault: 'timeout_after', ms: 200, times: 1 },
      { match: { call: 'notify_refund', outRefundNo }, fault: 'lost', times: -1 },
    )
    await scene.decide(refund, 'approve')
    await scene.until('the refund has ended', async () => {
      const { state } = await scene.refund(refund.id)
      return state === 'done' || state === 'failed' ? state : undefined
    })
    return outRefundNo
  },
}

export const successAtAcceptance: Sabotage = {
  sentence: 'a refund that the channel accepted is called done',
  offence: 'done_without_channel',
  processes: {
    worker: {
      account: withChannel((channel) => ({
        async queryRefund(refund, options) {
          const outcome = await channel.queryRefund(refund, options)
          return outcome.kind === 'refund' ? { ...outcome, status: 'success' } : outcome
        },
      })),
    },
  },
  // The card is frozen: the channel takes the refund, and cannot give the money back.
  async provoke(scene) {
    const payment = await scene.paidOrder(1_000)
    const refund = await scene.newRefund(payment, 300)
    const { outRefundNo } = refund
    await scene.arm({ match: { call: 'refund', outRefundNo }, fault: 'change', times: 1 })
    await scene.decide(refund, 'approve')
    await scene.refundEnded(outRefundNo)
    await scene.until('the engine knows', async () => {
      const { state } = await scene.refund(refund.id)
      return state === 'done' || state === 'needs_attention' ? state : undefined
    })
    return outRefundNo
  },
}

import type { WorkerMakers } from '../../../src/worker.js'

/** The number of whoever sends it, and not the one that stands in the row. */
const own = <Sent extends { readonly outRefundNo: string }>(sent: Sent): Sent => ({
  ...sent,
  outRefundNo: `${sent.outRefundNo}-${process.pid}`,
})

/** Bugs that only show when somebody dies: the matrix has to find each of them. */
export const SABOTAGES = {
  /** A process that goes on where another one died sends the refund under a number of its own. */
  'new-number-on-resume': {
    account: ({ account, channel }) => ({
      account,
      channel: {
        ...channel,
        submitRefund: (refund, options) => channel.submitRefund(own(refund), options),
        queryRefund: (refund, options) => channel.queryRefund(own(refund), options),
      },
    }),
  },
} as const satisfies Record<string, Partial<WorkerMakers>>

export type SabotageName = keyof typeof SABOTAGES

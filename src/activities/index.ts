import type { ActivityDependencies } from './dependencies.js'
import { createDecisions } from './ledger-decide-refund.js'
import { createLoads } from './ledger-load.js'
import { createSettlePayment } from './ledger-settle-payment.js'
import { createResolveRefund } from './ledger-resolve-refund.js'
import { createSettleRefund } from './ledger-settle-refund.js'
import { createAdoptPayment } from './wechat-adopt-payment.js'
import { createAskPayment } from './wechat-ask-payment.js'
import { createConfirmRefund } from './wechat-confirm-refund.js'
import { createPlacePayment } from './wechat-place-payment.js'
import { createQueryThenClose } from './wechat-query-then-close.js'
import { createRefundAtChannel } from './wechat-refund-at-channel.js'

/** Every activity, made from its dependencies; a workflow sees only the type. */
export function createActivities(dependencies: ActivityDependencies) {
  return {
    ...createLoads(dependencies),
    ...createDecisions(dependencies),
    settlePayment: createSettlePayment(dependencies),
    settleRefund: createSettleRefund(dependencies),
    placePayment: createPlacePayment(dependencies),
    askPayment: createAskPayment(dependencies),
    adoptPayment: createAdoptPayment(dependencies),
    queryThenClose: createQueryThenClose(dependencies),
    refundAtChannel: createRefundAtChannel(dependencies),
    confirmRefund: createConfirmRefund(dependencies),
    resolveRefund: createResolveRefund(dependencies),
  }
}

export type Activities = ReturnType<typeof createActivities>

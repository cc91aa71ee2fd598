import { acceptRefund } from './accept-refund.js'
import { randomDigits } from './ids.js'
import type { Order, Refund } from './records.js'
import { refuseBusiness } from './refusal.js'
import { resolveRefund, settledFeeOf } from './settle-refund.js'
import type { World } from './world.js'

/**
 * Refunds by hand, as a person does in the merchant portal. The number is one that the portal
 * gives, and nothing but a notification or a query tells the merchant's programs of it.
 *
 * @param notifyUrl who is told; the address that the merchant's last refund named if undefined
 * @throws RefusedError as `acceptRefund` does
 */
export function refundByHand(
  order: Order,
  { amountFen, notifyUrl }: { amountFen: number; notifyUrl?: string },
  world: World,
): Refund {
  return acceptRefund(
    order,
    {
      outRefundNo: randomDigits(28),
      refundFee: amountFen,
      refundAccount: 'REFUND_SOURCE_UNSETTLED_FUNDS',
      notifyUrl: notifyUrl ?? world.book.lastRefundNotifyUrl(order.mchId),
      source: 'VENDOR_PLATFORM',
      clientCertSerial: '',
      endsAs: 'SUCCESS',
    },
    world,
  )
}

/** From now on refunds of the order that end find the card frozen, or not. */
export function setCard(order: Order, isCardFrozen: boolean, world: World): void {
  const now = world.book.order(order.mchId, order.outTradeNo) ?? order
  world.book.putOrder({ ...now, isCardFrozen })
}

/**
 * Ends a refund by hand, or says that it is not one that waits for a person.
 *
 * @throws RefusedError with NOTENOUGH when the balance does not cover it any more
 */
export function resolveByHand(
  refund: Refund,
  result: 'SUCCESS' | 'REFUNDCLOSE',
  world: World,
): Refund | 'NOT_ABNORMAL' {
  if (refund.status !== 'CHANGE') return 'NOT_ABNORMAL'
  const balanceFen = world.book.balanceFen(refund.mchId)
  const isShort = balanceFen !== null && balanceFen < settledFeeOf(refund)
  if (result === 'SUCCESS' && isShort) throw refuseBusiness('NOTENOUGH')
  return resolveRefund(refund, result, world)
}

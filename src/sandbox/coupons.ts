import type { Coupon, Order, Refund } from './records.js'
import type { Fields } from './sign.js'

/** The money of coupons, in fen. */

type EarlierRefund = Pick<Refund, 'refundFee' | 'coupons' | 'status'>

export function couponFeeOf(coupons: readonly Coupon[]): number {
  return coupons.reduce((sumFen, coupon) => sumFen + coupon.fee, 0)
}

export function cashFeeOf({ totalFee, coupons }: Order): number {
  return totalFee - couponFeeOf(coupons)
}

/**
 * What the merchant's account sees of an amount: a coupon of the kind `NO_CASH` is the merchant's
 * own discount, for which nobody pays in.
 */
export function settlementFeeOf(fee: number, coupons: readonly Coupon[]): number {
  return fee - couponFeeOf(coupons.filter(({ type }) => type === 'NO_CASH'))
}

/**
 * Which part of a new refund is coupons. All refunds together give back of the coupons the share
 * that they are of the order, rounded down; the refund that gives back the rest of the order so
 * gives back the rest of the coupons.
 */
export function refundedCoupons(
  order: Pick<Order, 'totalFee' | 'coupons'>,
  earlier: readonly EarlierRefund[],
  refundFee: number,
): Coupon[] {
  const lastingRefunds = earlier.filter(({ status }) => status !== 'REFUNDCLOSE')
  const refundedFee = lastingRefunds.reduce((sumFen, refund) => sumFen + refund.refundFee, 0)
  const left = order.coupons.map((coupon) => ({
    ...coupon,
    fee: coupon.fee - givenBack(coupon.id, lastingRefunds),
  }))
  const couponFee = couponFeeOf(order.coupons)
  const dueFee = shareOf(couponFee, refundedFee + refundFee, order.totalFee)
  const newFee = dueFee - (couponFee - couponFeeOf(left))
  return spread(Math.max(0, Math.min(newFee, refundFee)), left)
}

function givenBack(id: string, refunds: readonly EarlierRefund[]): number {
  return couponFeeOf(refunds.flatMap(({ coupons }) => coupons).filter((one) => one.id === id))
}

/** Spreads an amount over coupons by what is left of each; odd fen go to the first that can. */
function spread(fee: number, left: readonly Coupon[]): Coupon[] {
  const leftFee = couponFeeOf(left)
  if (fee === 0 || leftFee === 0) return []
  const shares = left.map((coupon) => ({ ...coupon, fee: shareOf(coupon.fee, fee, leftFee) }))
  let oddFee = fee - couponFeeOf(shares)
  return shares
    .map((share, index) => {
      const more = Math.min(oddFee, (left[index]?.fee ?? 0) - share.fee)
      oddFee -= more
      return { ...share, fee: share.fee + more }
    })
    .filter((share) => share.fee > 0)
}

/** `fee * part / whole` rounded down, exactly. */
function shareOf(fee: number, part: number, whole: number): number {
  return Number((BigInt(fee) * BigInt(part)) / BigInt(whole))
}

/** How a paid order tells its coupons; without any it tells nothing of them. */
export function paidCouponFields({ totalFee, coupons }: Order): Fields {
  if (coupons.length === 0) return {}
  const settlementFee = settlementFeeOf(totalFee, coupons)
  const fields: Record<string, string> = {
    settlement_total_fee: settlementFee === totalFee ? '' : String(settlementFee),
    coupon_fee: String(couponFeeOf(coupons)),
    coupon_count: String(coupons.length),
  }
  coupons.forEach(({ id, type, fee }, n) => {
    fields[`coupon_type_${n}`] = type
    fields[`coupon_id_${n}`] = id
    fields[`coupon_fee_${n}`] = String(fee)
  })
  return fields
}

/**
 * How a refund tells its coupons. A query numbers the refunds, so that the names of each end in
 * the refund's number before that of the coupon: `coupon_refund_id_0_1`.
 */
export function refundCouponFields({ coupons }: Refund, suffix = ''): Fields {
  if (coupons.length === 0) return {}
  const fields: Record<string, string> = {
    [`coupon_refund_fee${suffix}`]: String(couponFeeOf(coupons)),
    [`coupon_refund_count${suffix}`]: String(coupons.length),
  }
  coupons.forEach(({ id, type, fee }, n) => {
    fields[`coupon_type${suffix}_${n}`] = type
    fields[`coupon_refund_id${suffix}_${n}`] = id
    fields[`coupon_refund_fee${suffix}_${n}`] = String(fee)
  })
  return fields
}

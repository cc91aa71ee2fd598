/** The chart of accounts. A name is a kind and whose it is: a channel account or a merchant. */
export const account = {
  /** What the channel holds for us: settled money of one channel account. */
  wechat: (accountId: string): string => `wechat:${accountId}`,
  /** Money given back that has not arrived yet. */
  refundsInTransit: (accountId: string): string => `refunds_in_transit:${accountId}`,
  /** Money that arrived and waits for a person: late, double, or of another amount. */
  suspense: (accountId: string): string => `suspense:${accountId}`,
  sales: (merchantId: string): string => `sales:${merchantId}`,
  returns: (merchantId: string): string => `returns:${merchantId}`,
  /** The part of a price that the merchant's coupons paid. */
  couponCost: (merchantId: string): string => `coupon_cost:${merchantId}`,
} as const

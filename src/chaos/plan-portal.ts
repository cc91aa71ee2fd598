import type { Draw } from '../cli/seed/draw.js'
import type { PortalKind } from './kinds.js'
import type { PlannedOrder } from './plan.js'

const AFTER_APPROVAL_PER_MILLE = 500

/** Has somebody refund by hand in the channel's portal, where an order is fit for it. */
export function planPortalRefund(draw: Draw, kind: PortalKind, planned: PlannedOrder[]): void {
  const candidates = planned.filter(FITS[kind])
  if (candidates.length === 0) return
  const order = draw.pick(candidates)
  const restFen = restOf(order)
  const amountFen =
    kind === 'portal_refund' ? draw.between(1, restFen) : draw.between(restFen + 1, order.amountFen)
  const isAfterApproval = kind === 'portal_refund_race' && draw.happens(AFTER_APPROVAL_PER_MILLE)
  planned[order.n] = { ...order, portal: { kind, amountFen, isAfterApproval } }
}

/** What the planned refunds leave over. */
const restOf = ({ amountFen, refunds }: PlannedOrder): number =>
  amountFen - refunds.reduce((sum, refund) => sum + refund.amountFen, 0)

const isFree = ({ buyer, isGreedy, portal }: PlannedOrder): boolean =>
  buyer === 'pays' && !isGreedy && portal === undefined

/**
 * One refund of ours stands against that of the portal. It may never be taken, so nothing else is
 * planned for its calls: that could not happen then.
 */
function hasRival(order: PlannedOrder): boolean {
  const [rival, ...others] = order.refunds
  const isOnlyOne = rival !== undefined && others.length === 0
  return isFree(order) && isOnlyOne && rival.decision === 'approve' && rival.faults.length === 0
}

const FITS: Readonly<Record<PortalKind, (order: PlannedOrder) => boolean>> = {
  portal_refund: (order) => isFree(order) && restOf(order) > 0,
  portal_refund_over_rest: hasRival,
  portal_refund_race: hasRival,
}

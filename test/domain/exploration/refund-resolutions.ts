import type { RefundOutcome, RefundStatus } from '../../../src/domain/channel.js'
import { fen } from '../../../src/domain/money.js'
import type { Proof } from '../../../src/domain/resolution.js'
import { query, told } from './refund-channel.js'
import { requested } from './refund-decisions.js'
import { moveRefund, refundAt, withRefund, type Change, type Trial } from './trial.js'
import {
  NOW,
  PARTIES,
  PRINCIPALS,
  TOTAL_FEN,
  YESTERDAY,
  type RefundPart,
  type Who,
  type World,
} from './world.js'

/** What people do about a refund that is stuck. */

export const retry: Change = (world, index, trial) => {
  const { state, cause } = refundAt(world, index)
  if (state === 'unseen') return world
  const verdict = trial.rules.judgeRetry(state, cause)
  if (verdict.outcome !== 'applied' || verdict.to === null) return world
  return moveRefund(world, index, { to: verdict.to }, trial)
}

/** What the channel's own word, asked for just now, proves. */
function proofFor({ sent, truth, isOld, amountFen }: RefundPart, isSilent: boolean, trial: Trial) {
  const answer: RefundOutcome = isSilent
    ? { kind: 'unknown', retry: 'soon', code: 'timeout', message: '' }
    : truth === 'none'
      ? { kind: 'not_exist' }
      : {
          kind: 'refund',
          status: truth,
          outTradeNo: 'P1',
          outRefundNo: 'R1',
          refundId: '1',
          refundFen: fen(amountFen),
          settlementFen: fen(amountFen),
        }
  const history = {
    amountFen,
    totalFen: TOTAL_FEN,
    maybeTaken: sent === 'maybe',
    acceptedAt: sent === 'accepted' ? YESTERDAY : null,
    lastSubmittedAt: isOld ? YESTERDAY : NOW,
    timeScale: 1,
  }
  return trial.rules.proofOf(answer, history, NOW)
}

export const resolve =
  (
    verb: 'settle' | 'fail' | 'renew',
    who: Who,
    says: RefundStatus | 'nothing' | 'silent',
  ): Change =>
  (world, index, trial) => {
    const isSilent = says === 'silent'
    const isUnknown = refundAt(world, index).truth === 'none'
    if (!isSilent && isUnknown !== (says === 'nothing')) return world
    const asked = isSilent || says === 'nothing' ? world : told(world, index, says)
    if (asked === undefined) return world
    const seen = isSilent || says === 'nothing' ? asked : firstOf(asked, index, says, trial)
    const refund = refundAt(seen, index)
    const { state, origin, proposer } = refund
    if (state === 'unseen') return world
    const proof: Proof = proofFor(refund, isSilent, trial)
    const requester = origin === 'api' ? PRINCIPALS.asker : { id: null, actingUser: origin }
    const verdict = trial.rules.judgeResolution(verb, proof, {
      state,
      requester,
      speaker: PRINCIPALS[who],
      proposer: proposer === null ? undefined : PRINCIPALS[proposer],
    })
    if (verdict.outcome === 'awaiting_second') {
      // The third person only ever seconds: which of two begins makes no difference.
      return who === 'third' ? seen : withRefund(seen, index, { proposer: who })
    }
    if (verdict.outcome !== 'applied') return seen
    if (verdict.to === null) return renewed(seen, index, trial)
    if (verdict.to === 'settled') watchSettling(refund, who, trial)
    const amount = fen(refund.amountFen)
    const source = world.payment.disposition === 'accepted' ? 'returns' : 'suspense'
    const transfers =
      verdict.to === 'settled' ? trial.rules.postSettledOtherwise(PARTIES, amount, source) : []
    return moveRefund(seen, index, { to: verdict.to, transfers }, trial)
  }

/** A success, and whatever is said of money in transit, is applied before a person's word. */
function firstOf(world: World, index: number, says: RefundStatus, trial: Trial): World {
  const isFirst = says === 'success' || refundAt(world, index).inTransit
  return isFirst ? query(says)(world, index, trial) : world
}

function watchSettling({ proposer, origin }: RefundPart, who: Who, { faults }: Trial): void {
  const isAsker = who === 'asker' && origin === 'api'
  if (proposer === null || proposer === who || isAsker) faults.add('settled by one person')
}

/** Once for each closed refund: another one asks for the same money. */
function renewed(world: World, index: number, trial: Trial): World {
  const { amountFen, isRenewed, truth } = refundAt(world, index)
  if (isRenewed) return world
  if (truth !== 'none' && truth !== 'closed')
    trial.faults.add('tried again while it may still come')
  const asked = requested(world, amountFen, trial)
  return asked === world ? world : withRefund(asked, index, { isRenewed: true })
}

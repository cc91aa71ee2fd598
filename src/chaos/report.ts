import { isClean, offendersOf, type Verdict } from './books/verdict.js'
import { findingsOf, type DrillResult } from './drill.js'
import type { Played } from './sabotage/play.js'
import type { Sabotage } from './sabotage/sabotage.js'

/** What a person reads at the end of a drill; the last line is the verdict. */
export function linesOf(result: DrillResult): string[] {
  const { plan, driven, faults, restarts, refusedRequests, paidTooLate, seconds } = result
  const paid = driven.payments.filter(({ isPaid }) => isPaid).length
  const rejected = driven.refunds.filter(({ decision }) => decision === 'reject').length
  const offenders = findingsOf(result)
  return [
    `plan      seed ${plan.seed}, profile ${plan.profile}, ${plan.orders.length} orders`,
    `orders    ${driven.payments.length} taken, ${paid} paid, ${paidTooLate} of them too late`,
    `refunds   ${driven.refunds.length} asked for, ${rejected} rejected, ` +
      `${refusedRequests} refused as too much, ${driven.portalRefunds.length} made by hand`,
    ...Object.entries(faults).map(
      ([kind, { planned, happened }]) => `fault     ${kind}: ${happened} of ${planned}`,
    ),
    `restarts  ${restarts}`,
    `apis      ${result.answersOfApis.join(' and ')} answers`,
    `workers   told of by ${result.notificationsOfWorkers.join(' and ')} notifications`,
    `time      ${seconds} s`,
    ...offenders.map((sentence) => `offender  ${sentence}`),
    verdictLine(result.verdict),
  ]
}

/** The verdict as one line, whether good or not. */
export function verdictLine(verdict: Verdict): string {
  const { payments, refunds, lost, doubled, overRefunded, stuck, bookSumFen } = verdict
  return (
    `verdict: ${payments} payments, ${refunds} refunds, ${lost.length} lost, ` +
    `${doubled.length} doubled, ${overRefunded.length} over-refunded, ${stuck.length} stuck, ` +
    `book sums to ${bookSumFen}`
  )
}

/** The same for programs. */
export function jsonOf(result: DrillResult): object {
  const { plan, driven, verdict, ...rest } = result
  const { seed, profile } = plan
  const offenders = findingsOf(result)
  return {
    ok: offenders.length === 0,
    seed,
    profile,
    payments: driven.payments.length,
    refunds: driven.refunds.length,
    ...rest,
    verdict,
    offenders,
  }
}

/** What a person reads of a planted bug. */
export function linesOfSabotage(name: string, bug: Sabotage, { verdict, found }: Played): string[] {
  return [
    `planted   ${name}: ${bug.sentence}`,
    `has to be ${bug.offence}${found === undefined ? ', and was not found' : ''}`,
    ...offendersOf(verdict).map(({ kind, sentence }) => `offender  ${kind}: ${sentence}`),
    verdictLine(verdict),
  ]
}

export const jsonOfSabotage = (name: string, { verdict, found }: Played): object => ({
  ok: isClean(verdict),
  sabotage: name,
  found: found ?? null,
  verdict,
})

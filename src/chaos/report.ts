import { isClean, offendersOf, type Verdict } from './books/verdict.js'
import { findingsOf, type DrillResult } from './drill.js'
import type { Played } from './sabotage/play.js'
import type { Sabotage } from './sabotage/sabotage.js'

/** The exit statuses; 2 is that of wrong use, for every command. */
export const STATUS = { nothingFound: 0, found: 1, sabotageMissed: 3 } as const

/** What a person reads at the end of a drill; the last line is the verdict. */
export function linesOf(result: DrillResult): string[] {
  const { plan, driven, faults, restarts, refusedRequests, paidTooLate, seconds } = result
  const { withdrawn, refused, resting } = result.contested
  const paid = driven.payments.filter(({ isPaid }) => isPaid).length
  const rejected = driven.refunds.filter(({ decision }) => decision === 'reject').length
  const offenders = findingsOf(result)
  return [
    `plan      seed ${plan.seed}, profile ${plan.profile}, ${plan.orders.length} orders`,
    `orders    ${driven.payments.length} taken, ${paid} paid, ${paidTooLate} of them too late`,
    `refunds   ${driven.refunds.length} asked for, ${rejected} rejected, ` +
      `${refusedRequests} refused as too much`,
    `by hand   ${driven.portalRefunds.length} made, ${result.refusedByHand} too late; of ours ` +
      `${withdrawn} withdrawn, ${refused} refused, ${resting} resting`,
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

/** What a person reads of a planted bug; the last line says whether it was found. */
export function linesOfSabotage(name: string, bug: Sabotage, { verdict, found }: Played): string[] {
  return [
    `planted   ${name}: ${bug.sentence}`,
    `has to be ${bug.offence}`,
    ...offendersOf(verdict).map(({ kind, sentence }) => `offender  ${kind}: ${sentence}`),
    verdictLine(verdict),
    found === undefined
      ? `sabotage ${name} was NOT found: nobody of it was named for ${bug.offence}`
      : `sabotage ${name} was found: ${found.kind}, ${found.subject}`,
  ]
}

export const jsonOfSabotage = (
  name: string,
  bug: Sabotage,
  { verdict, found }: Played,
): object => ({
  ok: isClean(verdict),
  sabotage: name,
  expected: bug.offence,
  found: found ?? null,
  verdict,
})

/** With what a drill ends: the answer is no where anything was found. */
export const statusOf = (result: DrillResult): number =>
  findingsOf(result).length === 0 ? STATUS.nothingFound : STATUS.found

/** With what a planted bug ends: somebody else being named for something else is not enough. */
export const statusOfSabotage = ({ found }: Played): number =>
  found === undefined ? STATUS.sabotageMissed : STATUS.found

import type { Book } from './book.js'

/** A merchant's rules for approvals, and how many people a refund needs under them. */

export interface Rule {
  readonly upToFen: number | null
  readonly withinDays: number | null
  readonly shipped: boolean | null
  readonly approvals: 0 | 1 | 2
}

export interface Policy {
  readonly rules: readonly Rule[]
  readonly dayLimitFen: number | null
  readonly personDayLimitFen: number | null
  /** Two requests for one payment stand a minute apart, which no step takes. */
  readonly isSpaced: boolean
  readonly atDeadline: 'escalate' | 'approve' | 'close'
  readonly approveUpToFen: number | null
}

/** A version of the rules, from 1; 0 is what holds before there are any. */
export const policyOf = (book: Book, version: number | null): Policy | undefined =>
  book.policies[(version ?? 0) - 1]

/** The first rule that fits; all money came as the first day began, and a step takes one. */
export function approvalsNeeded(
  policy: Policy | undefined,
  refund: { readonly amountFen: number; readonly shipped: boolean | null },
  step: number,
): number {
  if (policy === undefined) return 1
  const rule = policy.rules.find(
    ({ upToFen, withinDays, shipped }) =>
      refund.amountFen <= (upToFen ?? Infinity) &&
      step < (withinDays ?? Infinity) &&
      (shipped === null || shipped === refund.shipped),
  )
  return rule?.approvals ?? 2
}

/** Everybody's approvals of a day stand under this name. */
export const EVERYBODY = ''

/** What may be approved of a day: by everybody, and by one person. */
export function leftToday(book: Book, policy: Policy | undefined, person: string | null): number {
  const left = (limitFen: number | null | undefined, name: string): number =>
    Math.max(0, (limitFen ?? Infinity) - (book.day[name] ?? 0))
  return person === null
    ? left(policy?.dayLimitFen, EVERYBODY)
    : left(policy?.personDayLimitFen, person)
}

/** Counts an approval, from when on there is a limit. */
export function countToday(
  book: Book,
  policy: Policy | undefined,
  person: string | null,
  amountFen: number,
): void {
  const count = (name: string): void => {
    book.day[name] = (book.day[name] ?? 0) + amountFen
  }
  if (typeof policy?.dayLimitFen === 'number') count(EVERYBODY)
  if (typeof policy?.personDayLimitFen === 'number' && person !== null) count(person)
}

/** True while approvals of different payments can touch each other. */
export const isLimited = (book: Book): boolean => {
  const policy = policyOf(book, book.policies.length)
  return typeof (policy?.dayLimitFen ?? policy?.personDayLimitFen) === 'number'
}

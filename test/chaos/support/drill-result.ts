import type { Verdict } from '../../../src/chaos/books/verdict.js'
import type { DrillResult } from '../../../src/chaos/drill.js'
import { makePlan } from '../../../src/chaos/plan.js'

export const CLEAN: Verdict = {
  payments: 200,
  refunds: 204,
  lost: [],
  doubled: [],
  overRefunded: [],
  stuck: [],
  other: [],
  bookSumFen: 0,
}

export const QUIET = {
  payments: 0,
  refunds: 0,
  facts: 0,
  decisions: 0,
  resolutions: 0,
  workflows: 0,
  untold: 0,
}

/** A drill that went well, but for what the test says. */
export const drillResult = (but: Partial<DrillResult> = {}): DrillResult => ({
  plan: makePlan({ payments: 3, seed: 1, profile: 'storm' }),
  verdict: CLEAN,
  driven: { payments: [], refunds: [], portalRefunds: [] },
  faults: { html_page: { planned: 2, happened: 1 } },
  restarts: 4,
  refusedRequests: 0,
  refusedByHand: 0,
  contested: { withdrawn: 0, refused: 0, resting: 0 },
  paidTooLate: 0,
  answersOfApis: [10, 12],
  notificationsOfWorkers: [1, 2],
  unrest: QUIET,
  surprises: [],
  seconds: 90,
  ...but,
})

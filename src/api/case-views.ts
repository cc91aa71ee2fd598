import type { Static } from 'typebox'
import type { CaseEventRow, CaseRow } from '../db/cases.js'
import { CASE_KINDS } from '../domain/cases.js'
import type { Case, CaseWithEvents } from './schemas/case.js'

/** How cases are shown to callers: what is not named here is not told. */

export function caseView(row: CaseRow): Static<typeof Case> {
  const { zh, en, meaning } = CASE_KINDS[row.kind]
  return {
    id: row.id,
    kind: row.kind,
    words: { zh, en },
    meaning,
    state: row.state,
    paymentId: row.paymentId,
    causeKind: row.causeKind,
    causeId: row.causeId,
    amountFen: row.amountFen,
    detail: row.detail,
    openedAt: row.createdAt.toISOString(),
    resolvedAt: row.resolvedAt?.toISOString() ?? null,
  }
}

export function caseWithEventsView(
  row: CaseRow,
  events: readonly CaseEventRow[],
): Static<typeof CaseWithEvents> {
  return {
    ...caseView(row),
    events: events.map(({ at, ...event }) => ({ ...event, at: at.toISOString() })),
  }
}

import type { ApiKeyRow } from '../../db/api-keys.js'
import {
  eventsOfCase,
  findCase,
  resolveCase as noteResolution,
  type CaseEventRow,
  type CaseRow,
} from '../../db/cases.js'
import { inTransaction } from '../../db/transaction.js'
import { CodedError } from '../../domain/errors.js'
import type { ApiContext } from '../context.js'
import { existing } from '../existing.js'

export interface ResolveCaseCall {
  readonly client: ApiKeyRow
  readonly caseId: string
  readonly actingUser: string
  readonly note: string
}

export interface ResolvedCase {
  readonly row: CaseRow
  readonly events: readonly CaseEventRow[]
}

/**
 * Closes a case with what a person did about it. The same principal doing so again is told what
 * stands.
 * @throws CodedError `not_found`, `case_cause_lasts` while the engine will resolve it by itself,
 *   `case_resolved` when somebody else, or the engine, did
 */
export async function resolveCase(
  { db, clock }: ApiContext,
  call: ResolveCaseCall,
): Promise<ResolvedCase> {
  const { client, caseId, actingUser, note } = call
  const by = { merchantId: client.merchantId, principalId: client.id, actingUser, note }
  const outcome = await inTransaction(db, (tx) =>
    noteResolution(tx, { ...by, caseId, now: clock.now() }),
  )
  if (outcome === 'not_found') throw new CodedError('not_found')
  const row = existing(await findCase(db, caseId))
  if (outcome === 'cause_lasts') throw new CodedError('case_cause_lasts', { kind: row.kind })
  const events = await eventsOfCase(db, caseId)
  if (outcome === 'resolved_before' && !events.some((event) => isOf(event, call))) {
    throw new CodedError('case_resolved')
  }
  return { row, events }
}

const isOf = (event: CaseEventRow, { client, actingUser }: ResolveCaseCall): boolean =>
  event.type === 'resolved' && event.actorId === client.id && event.actingUser === actingUser

import { Type } from 'typebox'
import { CASE_STATES } from '../../db/cases.js'
import { CASE_KINDS, type CaseCause, type CaseKind } from '../../domain/cases.js'
import {
  actingUser,
  amountFen,
  instant,
  named,
  nullable,
  oneOf,
  pageFields,
  readableText,
  uuid,
} from './fields.js'

const KINDS = Object.keys(CASE_KINDS) as CaseKind[]
const CAUSES: readonly CaseCause[] = ['payment', 'refund', 'channel_refund']

const caseFields = {
  id: uuid('Its id here.'),
  kind: oneOf(KINDS, 'What happened.'),
  words: Type.Object({ zh: Type.String(), en: Type.String() }),
  meaning: Type.String({ description: 'What happened, and what is asked of a person.' }),
  state: oneOf(CASE_STATES, '`open` until somebody, or the engine, has settled it.'),
  paymentId: uuid('The payment it is about, or whose refund.'),
  causeKind: oneOf(CAUSES, '`channel_refund`: one that only WeChat Pay has.'),
  causeId: Type.String({ description: 'The id of what opened it.' }),
  amountFen: amountFen('How much money it is about.'),
  detail: Type.Unsafe<Readonly<Record<string, unknown>>>({
    type: 'object',
    additionalProperties: true,
    description: 'Ids and codes to look up; no names.',
  }),
  openedAt: instant('When it was opened.'),
  resolvedAt: nullable(instant('When it was settled.')),
}

export const Case = Type.Object(caseFields, { $id: 'Case' })

export const CaseWithEvents = Type.Object(
  {
    ...caseFields,
    events: Type.Array(
      Type.Object({
        type: oneOf(['opened', 'resolved'], 'What became of it.'),
        actorKind: oneOf(['api_key', 'engine'], 'The way it came.'),
        actorId: Type.String({ description: 'Who did it, as far as it can be proved.' }),
        actingUser: nullable(Type.String({ description: 'Who that was, as the caller said.' })),
        note: nullable(Type.String({ description: 'What was done.' })),
        at: instant('When.'),
      }),
      { description: 'Oldest first.' },
    ),
  },
  { $id: 'CaseWithEvents' },
)

export const ResolveCase = Type.Object(
  {
    actingUser,
    note: readableText(256, 'What was found out and done; it stays with the case.'),
  },
  { additionalProperties: false },
)

export const CasesQuery = Type.Object(
  {
    ...pageFields,
    state: Type.Optional(oneOf(CASE_STATES, 'Only cases in this state.')),
    kind: Type.Optional(oneOf(KINDS, 'Only cases of this kind.')),
    paymentId: Type.Optional(uuid('Only cases about this payment and its refunds.')),
  },
  { additionalProperties: false },
)

export const CasePage = Type.Object(
  {
    items: Type.Array(named(Case)),
    nextCursor: nullable(Type.String({ description: 'Null on the last page.' })),
  },
  { $id: 'CasePage' },
)

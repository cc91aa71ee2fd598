import { Type } from 'typebox'
import { ACTOR_KINDS, AUDIT_SUBJECTS } from '../../db/audit.js'
import { instant, named, nullable, oneOf, pageFields, uuid } from './fields.js'

const action = Type.String({
  pattern: '^[a-z_]+\\.[a-z_]+$',
  maxLength: 64,
  description: 'What was done.',
  examples: ['refund.approved'],
})

export const AuditLine = Type.Object(
  {
    id: uuid('Its id here.'),
    at: instant('When it was done.'),
    actorKind: oneOf(ACTOR_KINDS, 'The way it came.'),
    actorId: Type.String({ description: 'Who did it, as far as it can be proved.' }),
    actingUser: nullable(Type.String({ description: 'Who that was, as the caller named them.' })),
    action,
    subjectKind: oneOf(AUDIT_SUBJECTS, 'What it was done about.'),
    subjectId: nullable(uuid('Its id; null for the merchant itself.')),
    detail: Type.Unsafe<Readonly<Record<string, unknown>>>({
      type: 'object',
      additionalProperties: true,
    }),
  },
  { $id: 'AuditLine' },
)

export const AuditQuery = Type.Object(
  {
    ...pageFields,
    actorKind: Type.Optional(oneOf(ACTOR_KINDS, 'Only what came this way.')),
    subjectKind: Type.Optional(oneOf(AUDIT_SUBJECTS, 'Only what was done about these.')),
    subjectId: Type.Optional(uuid('Only what was done about this one.')),
    action: Type.Optional(action),
  },
  { additionalProperties: false },
)

export const AuditPage = Type.Object(
  {
    items: Type.Array(named(AuditLine)),
    nextCursor: nullable(Type.String({ description: 'Null on the last page.' })),
  },
  { $id: 'AuditPage' },
)

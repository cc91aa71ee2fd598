import { Type } from 'typebox'
import { RESOLUTION_VERBS } from '../../domain/resolution.js'
import { actingUser, instant, named, nullable, oneOf, readableText, uuid } from './fields.js'

export const RetryRefund = Type.Object(
  {
    actingUser,
    reason: readableText(256, 'What has changed, such as a new certificate; it is kept.'),
  },
  { additionalProperties: false },
)

export const ResolveRefund = Type.Object(
  {
    as: oneOf(
      ['settled', 'failed'],
      '`settled`: the buyer got the money by other means; a second person confirms it. ' +
        '`failed`: nothing was given back and nothing is owed any more.',
    ),
    actingUser,
    evidence: readableText(1_000, "What shows it: a transfer's number, a note; it is kept."),
  },
  { additionalProperties: false },
)

/** It stands in its row; somebody else, or the workflow, has to do something yet. */
export const RecordedResolution = Type.Object(
  {
    outcome: oneOf(
      ['recorded', 'awaiting_second'],
      '`recorded`: it will be applied; `awaiting_second`: somebody else must say the same.',
    ),
    resolutionId: uuid('Its id.'),
  },
  { $id: 'RecordedResolution' },
)

export const Resolution = Type.Object(
  {
    id: uuid('Its id here.'),
    verb: oneOf(RESOLUTION_VERBS, 'What was said of the refund.'),
    principalId: Type.String(),
    actingUser: Type.String(),
    evidence: Type.String(),
    storedAt: instant('When it was recorded.'),
    appliedAt: nullable(instant('When the workflow took note of it.')),
    outcome: nullable(Type.String({ description: '`applied`, or why it moved nothing.' })),
    proof: nullable(
      Type.Object({
        proves: Type.String({ description: 'What the answer of WeChat Pay proves.' }),
        askedAt: instant('When WeChat Pay was asked.'),
      }),
    ),
  },
  { $id: 'Resolution' },
)

export const Resolutions = Type.Object(
  { items: Type.Array(named(Resolution)) },
  { $id: 'Resolutions' },
)

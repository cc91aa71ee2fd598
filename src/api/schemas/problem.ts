import { Type } from 'typebox'
import { named } from './fields.js'

/** RFC 9457, with a stable code. */
export const Problem = Type.Object(
  {
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String({ description: 'One sentence in the language of Accept-Language.' }),
    code: Type.String({ description: 'Stable; every code stands in the reference of errors.' }),
    retry: Type.String({ enum: ['never', 'later', 'now'] }),
    requestId: Type.String(),
    errors: Type.Optional(
      Type.Array(Type.Object({ in: Type.String(), field: Type.String(), detail: Type.String() }), {
        description: 'What is wrong with each field, for `invalid_request`.',
      }),
    ),
  },
  { $id: 'Problem', additionalProperties: true },
)

/** The documentation of the problems a route answers; they are sent as they are, not by schema. */
export const problems = <const S extends number>(...statuses: readonly S[]) =>
  Object.fromEntries(statuses.map((status) => [status, PROBLEM_ANSWER])) as Record<
    S,
    typeof PROBLEM_ANSWER
  >

const PROBLEM_ANSWER = {
  description: 'A problem document.',
  content: { 'application/problem+json': { schema: named(Problem) } },
} as const

import { Type, type Static, type TSchema } from 'typebox'
import { PAYMENT_FEN_MAX } from '../../domain/money.js'

/** Fields that several schemas share. A schema is type, validation and documentation at once. */

/** Text that people read: something in it, and no control characters or halves of characters. */
const READABLE = '^(?=.*\\S)[^\\p{Cc}\\p{Cs}]+$'

/** @param maxLength in characters; some receivers count bytes instead (`maxUtf8Bytes`). */
export const readableText = (maxLength: number, description: string, maxUtf8Bytes?: number) =>
  Type.String({
    minLength: 1,
    maxLength,
    pattern: READABLE,
    description,
    ...(maxUtf8Bytes === undefined ? {} : { maxUtf8Bytes }),
  })

export const amountFen = (description: string) =>
  Type.Integer({ minimum: 1, maximum: PAYMENT_FEN_MAX, description, examples: [1000] })

/** A sum that may be nothing yet. */
export const sumFen = (description: string) => Type.Integer({ minimum: 0, description })

export const uuid = (description: string) => Type.String({ format: 'uuid', description })

export const instant = (description: string) => Type.String({ format: 'date-time', description })

/** The same schema, or null where there is nothing yet: a list of values has to name it as well. */
export const nullable = <S extends TSchema>(schema: S) =>
  Type.Unsafe<Static<S> | null>(
    'type' in schema
      ? {
          ...schema,
          type: [schema.type, 'null'],
          ...('enum' in schema && Array.isArray(schema.enum)
            ? { enum: [...(schema.enum as unknown[]), null] }
            : {}),
        }
      : { anyOf: [schema, NULL] },
  )

const NULL = { type: 'null' } as const

export const oneOf = <const V extends readonly string[]>(values: V, description: string) =>
  Type.Unsafe<V[number]>({ type: 'string', enum: [...values], description })

/**
 * A schema that has a name of its own (`$id`) in the documentation, used by that name.
 * @throws Error when it has none.
 */
export function named<S extends TSchema>(schema: S) {
  if (!('$id' in schema) || typeof schema.$id !== 'string') {
    throw new Error('This schema has no name to use it by.')
  }
  return Type.Unsafe<Static<S>>(Type.Ref(schema.$id))
}

export const actingUser = readableText(
  64,
  'Who does this in your system; whoever asked for a refund may not approve it.',
)

export const IdempotencyHeaders = Type.Object({
  'idempotency-key': Type.String({
    pattern: '^[\\x21-\\x7e]{1,128}$',
    description:
      'Chosen by you, 1 to 128 visible characters; with the same body it never acts twice.',
  }),
})

export const IdParams = Type.Object({ id: uuid('The id that Yuanlu gave.') })

/** How long a caller may wait for a change, in seconds: shorter than proxies usually do. */
const WAIT_S_MAX = 30

export const WaitQuery = Type.Object(
  {
    wait: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: WAIT_S_MAX,
        description: 'Seconds to wait for the next change of state; at once unless given.',
      }),
    ),
  },
  { additionalProperties: false },
)

export const WAIT_DESCRIPTION =
  'With `wait` it answers when the state changes, or as it stands when the time is over.'

export const PAGE_SIZE_MAX = 100

export const pageFields = {
  limit: Type.Integer({ minimum: 1, maximum: PAGE_SIZE_MAX, default: 20 }),
  cursor: Type.Optional(
    Type.String({ maxLength: 128, description: '`nextCursor` of the page before.' }),
  ),
}

import fc from 'fast-check'

/** As much of JSON Schema as the API's own document uses. */
export interface Schema {
  readonly $ref?: string
  readonly type?: string | readonly string[]
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly anyOf?: readonly Schema[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly items?: Schema
  readonly minItems?: number
  readonly maxItems?: number
  readonly uniqueItems?: boolean
  readonly minLength?: number
  readonly maxLength?: number
  readonly maxUtf8Bytes?: number
  readonly minimum?: number
  readonly maximum?: number
  readonly pattern?: string
  readonly format?: string
}

const ITEMS_MAX = 4
const TEXT_LENGTH_MAX = 200

/** Ids that exist, so that what is valid is not always unknown as well. */
export type KnownIds = readonly string[]

/** Values that a schema calls valid, as the document says it and not as the server does. */
export function valid(schema: Schema, ids: KnownIds): fc.Arbitrary<unknown> {
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum)
  if (schema.const !== undefined) return fc.constant(schema.const)
  if (schema.anyOf !== undefined) return fc.oneof(...schema.anyOf.map((one) => valid(one, ids)))
  const { type = 'object' } = schema
  if (typeof type !== 'string') {
    return fc.oneof(...type.map((one) => valid({ ...schema, type: one }, ids)))
  }
  switch (type) {
    case 'null':
      return fc.constant(null)
    case 'boolean':
      return fc.boolean()
    case 'integer':
      return integer(schema)
    case 'string':
      return text(schema, ids)
    case 'array':
      return array(schema, ids)
    case 'object':
      return object(schema, ids)
    default:
      throw new Error(`No values are known for the type ${type}.`)
  }
}

/** The ends of a range are where mistakes are. */
function integer({
  minimum = -(2 ** 53 - 1),
  maximum = 2 ** 53 - 1,
}: Schema): fc.Arbitrary<number> {
  const any = fc.integer({ min: minimum, max: maximum })
  return fc.oneof(any, fc.constant(minimum), fc.constant(maximum))
}

function text(schema: Schema, ids: KnownIds): fc.Arbitrary<string> {
  if (schema.format === 'uuid') return fc.oneof(fc.constantFrom(...ids), fc.uuid())
  if (schema.format === 'ip') return fc.oneof(fc.ipV4(), fc.ipV6())
  if (schema.format === 'date-time')
    return fc.date({ noInvalidDate: true }).map((at) => at.toISOString())
  const { minLength = 0, maxLength = TEXT_LENGTH_MAX, maxUtf8Bytes, pattern } = schema
  const isShort = (value: string): boolean =>
    Array.from(value).length >= minLength &&
    Array.from(value).length <= maxLength &&
    Buffer.byteLength(value) <= (maxUtf8Bytes ?? Number.POSITIVE_INFINITY)
  if (pattern === undefined) return characters(minLength, maxLength).filter(isShort)
  const expression = new RegExp(pattern, 'u')
  // Looking ahead and classes of characters are nothing that texts can be made from.
  const isMadeFrom = !/\(\?=|\\p\{/.test(pattern)
  const made = isMadeFrom
    ? fc.stringMatching(new RegExp(pattern))
    : characters(Math.max(minLength, 1), maxLength)
  return made.filter((value) => isShort(value) && expression.test(value))
}

const characters = (minLength: number, maxLength: number): fc.Arbitrary<string> =>
  fc.string({
    unit: fc.oneof(
      fc.constantFrom('青', '团', ' ', '<', '&', "'", '"', '\\', 'é', '💥'),
      fc.string({ minLength: 1, maxLength: 1 }),
    ),
    minLength,
    maxLength: Math.min(maxLength, TEXT_LENGTH_MAX),
  })

function array(schema: Schema, ids: KnownIds): fc.Arbitrary<unknown[]> {
  const { items = {}, minItems = 0, maxItems = ITEMS_MAX } = schema
  const lengths = { minLength: minItems, maxLength: Math.min(maxItems, ITEMS_MAX) }
  const item = valid(items, ids)
  return schema.uniqueItems === true ? fc.uniqueArray(item, lengths) : fc.array(item, lengths)
}

function object(
  { properties = {}, required = [] }: Schema,
  ids: KnownIds,
): fc.Arbitrary<Record<string, unknown>> {
  const members = Object.entries(properties).map(([name, schema]) => [name, valid(schema, ids)])
  const model = Object.fromEntries(members) as Record<string, fc.Arbitrary<unknown>>
  return fc.record(model, { requiredKeys: [...required], noNullPrototype: true })
}

import type { Language } from './language.js'

export type RequestPart = 'body' | 'querystring' | 'params' | 'headers'

/** What is wrong with one field, in both languages. */
export interface FieldError {
  readonly in: RequestPart
  /** Its name, or its path when it stands deeper; empty for the whole part. */
  readonly field: string
  readonly detail: Readonly<Record<Language, string>>
}

/** A request that a schema accepts and a rule beyond schemas does not. */
export class InvalidFields extends Error {
  override readonly name = 'InvalidFields'
  readonly fields: readonly FieldError[]

  constructor(fields: readonly FieldError[]) {
    super('The request is not valid.')
    this.fields = fields
  }
}

/** One finding of the validator (JSON Schema keyword, where, and with which parameters). */
export interface Finding {
  readonly keyword: string
  readonly instancePath: string
  readonly schemaPath: string
  readonly params: Readonly<Record<string, unknown>>
  readonly message?: string | undefined
}

/** A body may be wrong in thousands of places; this many are told. */
const FIELDS_MAX = 20

/** Translates the validator's findings; they name fields and limits, never values. */
export function fieldErrors(part: RequestPart, findings: readonly Finding[]): FieldError[] {
  // Of alternatives only the choice itself is told, not what each branch lacks.
  const told = findings.filter(({ schemaPath }) => !/\/(one|any)Of\//.test(schemaPath))
  const byField = new Map<string, FieldError>()
  for (const finding of told) {
    const field = fieldOf(finding)
    // The first thing that is wrong with a field is enough to mend it.
    if (!byField.has(field)) byField.set(field, { in: part, field, detail: detailOf(finding) })
    if (byField.size === FIELDS_MAX) break
  }
  return [...byField.values()]
}

function fieldOf({ instancePath, params }: Finding): string {
  const path = instancePath.split('/').slice(1)
  const last = params['missingProperty'] ?? params['additionalProperty']
  return fieldAt([...path, ...(typeof last === 'string' ? [last] : [])])
}

const fieldAt = (path: readonly string[]): string => path.join('.').slice(0, 128)

/** A member of the body that its object has more than once. */
export const givenTwice = (path: readonly string[]): FieldError => ({
  in: 'body',
  field: fieldAt(path),
  detail: { en: 'is given more than once', zh: '重复出现' },
})

type Sentence = (limit: unknown) => Readonly<Record<Language, string>>

const SENTENCES: Readonly<Record<string, Sentence>> = {
  required: () => ({ en: 'is required', zh: '为必填项' }),
  additionalProperties: () => ({ en: 'is not a known field', zh: '不是可识别的字段' }),
  type: (type) => ({ en: `must be of type ${String(type)}`, zh: `类型必须为 ${String(type)}` }),
  minimum: (limit) => ({
    en: `must be at least ${String(limit)}`,
    zh: `不得小于 ${String(limit)}`,
  }),
  maximum: (limit) => ({ en: `must be at most ${String(limit)}`, zh: `不得大于 ${String(limit)}` }),
  minLength: (limit) => ({
    en: `must have at least ${String(limit)} characters`,
    zh: `至少 ${String(limit)} 个字符`,
  }),
  maxLength: (limit) => ({
    en: `must have at most ${String(limit)} characters`,
    zh: `最多 ${String(limit)} 个字符`,
  }),
  maxUtf8Bytes: (limit) => ({
    en: `must have at most ${String(limit)} bytes of UTF-8`,
    zh: `UTF-8 编码后最多 ${String(limit)} 字节`,
  }),
  pattern: () => ({
    en: 'has characters or a form not allowed here',
    zh: '含有不允许的字符或格式',
  }),
  format: (format) => ({
    en: `must be a valid ${String(format)}`,
    zh: `必须是有效的 ${String(format)}`,
  }),
  enum: (values) => ({
    en: `must be one of ${listOf(values)}`,
    zh: `必须是以下之一:${listOf(values)}`,
  }),
  oneOf: () => ({
    en: 'must name exactly one of paymentId, outTradeNo and transactionId',
    zh: 'paymentId、outTradeNo、transactionId 必须且只能提供一个',
  }),
}

const listOf = (values: unknown): string => (Array.isArray(values) ? values.join(', ') : '')

function detailOf({ keyword, params }: Finding): Readonly<Record<Language, string>> {
  const limit = params['limit'] ?? params['type'] ?? params['format'] ?? params['allowedValues']
  return SENTENCES[keyword]?.(limit) ?? { en: 'is not valid', zh: '不符合要求' }
}

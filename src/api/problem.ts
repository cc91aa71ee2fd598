import { CodedError, ERRORS, type ErrorCode } from '../domain/errors.js'
import { isDatabaseAway } from '../db/away.js'
import { fieldErrors, InvalidFields, type FieldError, type Finding } from './field-errors.js'
import type { Language } from './language.js'

export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8'

/** A failure in the words of the catalogue. */
export interface Failure {
  readonly code: ErrorCode
  readonly details: Readonly<Record<string, string | number>>
  readonly fields: readonly FieldError[]
}

const BY_FRAMEWORK_CODE: Readonly<Record<string, ErrorCode>> = {
  FST_ERR_CTP_INVALID_JSON_BODY: 'malformed_body',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'malformed_body',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'malformed_body',
  FST_ERR_CTP_BODY_TOO_LARGE: 'body_too_large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported_media_type',
  FST_ERR_NOT_FOUND: 'not_found',
  FST_ERR_BAD_URL: 'not_found',
  FST_ERR_MAX_PARAM_LENGTH: 'not_found',
}

/** What an error is to the caller; anything unforeseen is an internal error and tells nothing. */
export function failureOf(error: unknown): Failure {
  if (error instanceof CodedError) return { code: error.code, details: error.details, fields: [] }
  if (error instanceof InvalidFields) return invalid(error.fields)
  if (isRejectedBySchema(error)) return schemaFailure(error)
  if (isDatabaseAway(error)) return plain('database_unavailable')
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return plain(
    BY_FRAMEWORK_CODE[code] ?? (isBadRequest(error) ? 'malformed_body' : 'internal_error'),
  )
}

interface SchemaRejection {
  readonly validation: readonly Finding[]
  readonly validationContext: 'body' | 'querystring' | 'params' | 'headers'
}

const isRejectedBySchema = (error: unknown): error is SchemaRejection =>
  error instanceof Error && 'validation' in error && Array.isArray(error.validation)

/** The JSON and body readers give their errors a status of the 400 family. */
const isBadRequest = (error: unknown): boolean =>
  error instanceof Error && 'statusCode' in error && error.statusCode === 400

function schemaFailure({ validation, validationContext: part }: SchemaRejection): Failure {
  // An id of another form names nothing.
  if (part === 'params') return plain('not_found')
  const lacksKey = validation.some(({ params }) => params['missingProperty'] === 'idempotency-key')
  if (part === 'headers' && lacksKey) return plain('idempotency_key_required')
  return invalid(fieldErrors(part, validation))
}

const plain = (code: ErrorCode): Failure => ({ code, details: {}, fields: [] })
const invalid = (fields: readonly FieldError[]): Failure => ({
  code: 'invalid_request',
  details: {},
  fields,
})

/** The problem document (RFC 9457) of a failure. */
export function problemOf(failure: Failure, language: Language, requestId: string): object {
  const { status, retry, ...sentences } = ERRORS[failure.code]
  return {
    type: `urn:yuanlu:error:${failure.code}`,
    title: failure.code.replaceAll('_', ' '),
    status,
    detail: sentences[language],
    code: failure.code,
    retry,
    requestId,
    ...failure.details,
    ...(failure.fields.length === 0 ? {} : { errors: failure.fields.map(toldIn(language)) }),
  }
}

const toldIn =
  (language: Language) =>
  (field: FieldError): object => ({
    in: field.in === 'querystring' ? 'query' : field.in,
    field: field.field,
    detail: field.detail[language],
  })

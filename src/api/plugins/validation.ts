import { isIP } from 'node:net'
import { _, Ajv } from 'ajv'
import type { FastifySchemaCompiler } from 'fastify'
import { isUuid } from '../../domain/ids.js'

/**
 * Bodies are taken as they are: nothing is coerced, filled in or dropped, because an amount that
 * had to be guessed is no amount. Query strings hold text only, so there numbers are read from it.
 */
export function createValidatorCompiler(): FastifySchemaCompiler<object> {
  const strict = createAjv(false)
  const reading = createAjv(true)
  return ({ schema, httpPart }) => (httpPart === 'body' ? strict : reading).compile(schema)
}

function createAjv(readsText: boolean): Ajv {
  const ajv = new Ajv({
    allErrors: true,
    coerceTypes: readsText,
    useDefaults: readsText,
    removeAdditional: false,
    strict: false,
  })
  ajv.addFormat('uuid', isUuid)
  ajv.addFormat('date-time', (text) => !Number.isNaN(Date.parse(text)))
  ajv.addFormat('ip', (text) => isIP(text) !== 0)
  ajv.addKeyword({
    keyword: 'maxUtf8Bytes',
    type: 'string',
    schemaType: 'number',
    error: { message: 'is too long', params: ({ schema }) => _`{limit: ${schema as number}}` },
    validate: (limit: number, text: string) => Buffer.byteLength(text, 'utf8') <= limit,
  })
  return ajv
}

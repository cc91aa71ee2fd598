import { Ajv2020 } from 'ajv/dist/2020.js'
import type { LightMyRequestResponse } from 'fastify'

import type { Schema } from './arbitraries.js'

/** One operation of the OpenAPI document. */
export interface Operation {
  /** `post /v1/payments/{id}/close` */
  readonly name: string
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly path: string
  readonly parameters: readonly Parameter[]
  readonly body: Schema | undefined
  readonly example: unknown
  readonly responses: Readonly<Record<string, { readonly content?: Content }>>
}

interface Parameter {
  readonly name: string
  readonly in: 'path' | 'query' | 'header'
  readonly required?: boolean
  readonly schema: Schema
}

type Content = Readonly<Record<string, { readonly schema?: Schema; readonly example?: unknown }>>

interface RawOperation {
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: { readonly content: Content }
  readonly responses: Operation['responses']
}

export interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, RawOperation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> }
}

export const operationsOf = ({ paths }: OpenApi): Operation[] =>
  Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { parameters = [], requestBody, responses }]) => ({
      name: `${method} ${path}`,
      method: method.toUpperCase() as Operation['method'],
      path,
      parameters,
      body: requestBody?.content['application/json']?.schema,
      example: requestBody?.content['application/json']?.example,
      responses,
    })),
  )

/** What is wrong with an answer, held against what the document says of it. */
export type AnswerCheck = (
  operation: Operation,
  answer: LightMyRequestResponse,
) => string | undefined

export function answerChecker(document: OpenApi): AnswerCheck {
  const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true })
  ajv.addSchema({ $id: 'openapi', ...document })
  return ({ method, path, responses }, answer) => {
    const status = String(answer.statusCode)
    const response = responses[status]
    if (response === undefined) return `status ${status} is not documented: ${answer.body}`
    const [type = ''] = String(answer.headers['content-type'] ?? '').split(';')
    const { content = {} } = response
    if (Object.keys(content).length === 0) {
      return answer.body === '' ? undefined : `status ${status} is documented without a body`
    }
    if (content[type] === undefined) return `status ${status} came as ${type}`
    if (content[type].schema === undefined || !type.endsWith('json')) return undefined
    const steps = ['paths', path, method.toLowerCase(), 'responses', status, 'content', type]
    const pointer = [...steps, 'schema'].map(escaped).join('/')
    const isValid = ajv.compile({ $ref: `openapi#/${pointer}` })
    return isValid(answer.json()) ? undefined : `${status}: ${ajv.errorsText(isValid.errors)}`
  }
}

const escaped = (step: string): string =>
  encodeURIComponent(step.replaceAll('~', '~0').replaceAll('/', '~1'))

import { fastifySwagger } from '@fastify/swagger'
import { fastifySwaggerUi } from '@fastify/swagger-ui'
import { addExamples } from '../recorded-examples.js'
import type { ApiServer } from '../server-type.js'

const DESCRIPTION = `Takes WeChat Pay payments and gives refunds back the way they came.
Amounts are whole numbers of fen. Errors are problem documents (RFC 9457) with a stable \`code\`.`

/** Derives OpenAPI 3.1 from the route schemas; served at /openapi.json and browsable at /docs. */
export async function installDocumentation(app: ApiServer): Promise<void> {
  await app.register(fastifySwagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: '原路 Yuanlu', version: '1', description: DESCRIPTION },
      tags: [
        { name: 'payments', description: 'Payments and the parameters to pay them with' },
        { name: 'refunds', description: 'Refunds and the decisions about them' },
        { name: 'cases', description: 'What a person has to look at' },
        { name: 'ledger', description: 'The book and its seals' },
        { name: 'webhooks', description: 'Where events are sent to, and how each went' },
        { name: 'merchants', description: 'Your settings, rules of approval and credentials' },
        { name: 'audit', description: 'Who did what, and which way it came' },
        { name: 'events', description: 'What happened, as a stream or in pages' },
        { name: 'operation', description: 'Health and metrics' },
        { name: 'notifications', description: 'What WeChat Pay calls' },
      ],
      security: [{ apiKey: [] }],
      components: { securitySchemes: { apiKey: { type: 'http', scheme: 'bearer' } } },
    },
    transformObject: (document) => {
      if (!('openapiObject' in document)) return document.swaggerObject
      addExamples(document.openapiObject.paths ?? {})
      letDefaultsBeLeftOut(document.openapiObject.paths ?? {})
      return document.openapiObject
    },
    refResolver: {
      buildLocalReference: (json, _base, _fragment, index) =>
        typeof json['$id'] === 'string' ? json['$id'] : `schema-${index}`,
    },
  })
  await app.register(fastifySwaggerUi, {
    routePrefix: '/docs',
    theme: { title: '原路 Yuanlu API' },
    // Without the bar that would open any other document in this page.
    uiConfig: { layout: 'BaseLayout' },
  })
  app.get('/openapi.json', { schema: { hide: true } }, () => app.swagger())
}

interface Documented {
  readonly parameters?: readonly { readonly schema?: object; required?: boolean }[]
}

/** To the routes a parameter with a default is always there; a caller need not give it. */
function letDefaultsBeLeftOut(paths: object): void {
  const operations = Object.values(paths).flatMap((methods: object) => Object.values(methods))
  for (const { parameters = [] } of operations as readonly Documented[]) {
    for (const parameter of parameters) {
      if ('default' in (parameter.schema ?? {})) parameter.required = false
    }
  }
}

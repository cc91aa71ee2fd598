import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type {
  FastifyBaseLogger,
  FastifyInstance,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify'
import type { ApiKeyRow, Scope } from '../db/api-keys.js'

/** A server whose handlers are typed by their route's schemas. */
export type ApiServer = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>

declare module 'fastify' {
  interface FastifyRequest {
    /** The API key a request came with, once it is authenticated. */
    client: ApiKeyRow | null
    /** What is done once the answer has left. */
    afterAnswer: (() => Promise<void>) | null
  }
  interface FastifyContextConfig {
    /** Any one of these scopes is enough; a route of `/v1` names at least one. */
    scopes?: readonly Scope[]
  }
}

import type { FastifyRequest } from 'fastify'
import { findApiKey, type ApiKeyRow } from '../../db/api-keys.js'
import type { Queryable } from '../../db/pool.js'
import { CodedError } from '../../domain/errors.js'
import { Remembered } from '../remembered.js'
import type { ApiServer } from '../server-type.js'

const BEARER = /^Bearer +(\S{1,256})$/i
/** A revoked key is let in no longer than this. */
const FRESH_MS = 2_000

/**
 * Lets only API keys with the route's scope in, before a byte of the body is read. Every route
 * of the server this is installed on must name its scopes.
 */
export function installAuthentication(app: ApiServer, db: Queryable): void {
  app.addHook('onRoute', ({ config, url, method }) => {
    if (config?.scopes === undefined) throw new Error(`${String(method)} ${url} names no scope.`)
  })
  const clients = new Remembered<ApiKeyRow | undefined>(FRESH_MS)
  app.addHook('onRequest', async (request) => {
    const client = await authenticate(db, clients, request.headers.authorization)
    request.client = client
    const allowed = request.routeOptions.config.scopes ?? []
    if (!allowed.some((scope) => client.scopes.includes(scope))) throw new CodedError('forbidden')
  })
}

async function authenticate(
  db: Queryable,
  clients: Remembered<ApiKeyRow | undefined>,
  authorization?: string,
): Promise<ApiKeyRow> {
  const key = BEARER.exec(authorization ?? '')?.[1]
  const client = key && (await clients.get(key, () => findApiKey(db, key)))
  if (!client) throw new CodedError('unauthorized')
  return client
}

/** The authenticated API key. @throws Error on a route without authentication: our mistake. */
export function clientOf(request: FastifyRequest): ApiKeyRow {
  if (request.client === null) throw new Error('This route authenticates nobody.')
  return request.client
}

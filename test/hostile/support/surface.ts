import { request } from 'undici'

import type { JsonOperation, Surface } from './inputs.js'
import type { Target } from './target.js'

interface Operation {
  readonly requestBody?: {
    readonly content: Readonly<Record<string, { readonly example?: unknown } | undefined>>
  }
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
}

const METHODS = { post: 'POST', put: 'PUT', patch: 'PATCH' } as const

/** What the API itself says that it takes, so that nothing new is left out. */
export async function surfaceOf(target: Target): Promise<Surface> {
  const answer = await request(`${target.url}/openapi.json`)
  const document = (await answer.body.json()) as Document
  const jsonOperations: JsonOperation[] = []
  const readPaths: string[] = []
  for (const [path, methods] of Object.entries(document.paths)) {
    if (path.startsWith('/notify/')) continue
    for (const [method, operation] of Object.entries(methods)) {
      if (method === 'get') readPaths.push(path)
      if (!(method in METHODS)) continue
      const sample = operation.requestBody?.content['application/json']?.example ?? {}
      jsonOperations.push({ method: METHODS[method as keyof typeof METHODS], path, sample })
    }
  }
  const { notifyToken, apiKey } = target
  // An event stream does not end by itself, and readiness says 503 while the engine is away.
  const rest = readPaths.filter((path) => path !== '/v1/events' && path !== '/readyz')
  return { notifyToken, apiKey, jsonOperations, readPaths: rest }
}

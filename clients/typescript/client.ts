import createFetchClient from 'openapi-fetch'

import type { paths } from './schema.js'

export interface ClientOptions {
  /** Where the API is, such as `https://pay.example.com`. */
  readonly baseUrl: string
  /** An API key, `yk_...`. */
  readonly key: string
}

/** The API with the types of its OpenAPI document; calls answer `{data}` or `{error}`. */
export function createYuanluClient({ baseUrl, key }: ClientOptions) {
  return createFetchClient<paths>({ baseUrl, headers: { authorization: `Bearer ${key}` } })
}

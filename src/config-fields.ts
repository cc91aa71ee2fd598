import { isIP } from 'node:net'
import { Type, type TObject } from 'typebox'
import { Value } from 'typebox/value'

/** What a variable of the environment may look like; `src/config.ts` is the only reader. */

const HTTP_URL = '^https?://[^\\s?#@]+$'
const POSTGRES_URL = '^postgres(ql)?://\\S+$'
const HOST_LIST = '^[^\\s,/@]+(,[^\\s,/@]+)*$'
const BASE64_OF_32_BYTES = '^[A-Za-z0-9+/]{43}=$'

/** A variable whose `description` completes the sentence "NAME must be ...". */
export const text = (description: string, pattern: string, initial?: string) =>
  Type.String({ description, pattern, ...(initial === undefined ? {} : { default: initial }) })
export const port = (initial?: number) =>
  Type.Integer({
    description: 'a port number from 0 to 65535',
    minimum: 0,
    maximum: 65_535,
    ...(initial === undefined ? {} : { default: initial }),
  })

/** An address, or one with the bits that a network's addresses have in common. */
function isNetwork(value: string): boolean {
  const [address = '', bits, ...more] = value.split('/')
  const family = isIP(address)
  if (family === 0 || more.length > 0) return false
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128))
}

const isUrl = (value: string): boolean => URL.canParse(value)
export const databaseUrl = () => Type.Refine(text('a postgres:// address', POSTGRES_URL), isUrl)
export const random32Bytes = () =>
  text('32 bytes in Base64 (openssl rand -base64 32)', BASE64_OF_32_BYTES)
export const httpUrl = (initial?: string) =>
  Type.Refine(
    text('an http:// or https:// address without query and password', HTTP_URL, initial),
    isUrl,
  )
export const hostList = () =>
  text('hosts, each with a port or without, with commas between', HOST_LIST)
export const networkList = () =>
  Type.Refine(
    text('addresses or networks such as 10.0.0.0/8, with commas between', '^\\S+$'),
    (list) => list.split(',').every(isNetwork),
  )
/** The members of a list of hosts or networks; of none where it is not given. */
export const hostsOf = (list: string | undefined): readonly string[] =>
  Object.freeze(list === undefined ? [] : list.toLowerCase().split(','))
/** An address without a slash at its end. */
export const baseUrlOf = (url: string): string => url.replace(/\/+$/, '')
const PROXY_URL = '^https?://([^\\s/?#@:]+:[^\\s/?#@]+@)?[^\\s/?#@]+/?$'
export const proxyUrl = () =>
  Type.Refine(text('the http:// or https:// address of a proxy', PROXY_URL), isUrl)
export const milliseconds = (initial: number, maximum: number) =>
  Type.Integer({
    description: `milliseconds from 100 to ${maximum}`,
    minimum: 100,
    maximum,
    default: initial,
  })
export const name = (initial: string) => text('a word without blanks', '^\\S+$', initial)

export type Environment = Readonly<Record<string, string | undefined>>

/** What a schema makes of an environment, and a sentence about the first variable that is wrong. */
export interface Taken {
  readonly value: unknown
  readonly wrong?: string
}

/** Takes the variables that a schema names; an empty one counts as missing. */
export function take(schema: TObject, environment: Environment): Taken {
  const names = Object.keys(schema.properties)
  const given = names.flatMap((key) => {
    const value = environment[key]
    if (value === undefined || value === '') return []
    return [[key, isInteger(schema, key) ? readInteger(value) : value] as const]
  })
  const value = Value.Default(schema, Object.fromEntries(given))
  const wrong = names.find((key) => !isGood(schema, key, value))
  return wrong === undefined ? { value } : { value, wrong: sentence(schema, wrong, value) }
}

const isInteger = (schema: TObject, key: string): boolean => {
  const property: { readonly type?: unknown } = schema.properties[key] ?? {}
  return property.type === 'integer'
}

/** What is not plain digits stays text, and is then refused. */
const readInteger = (value: string): string | number =>
  /^(0|[1-9]\d{0,4})$/.test(value) ? Number(value) : value

function isGood(schema: TObject, key: string, value: unknown): boolean {
  const property = schema.properties[key]
  const isGiven = typeof value === 'object' && value !== null && Object.hasOwn(value, key)
  if (property === undefined) return false
  if (!isGiven) return !(schema.required ?? []).includes(key)
  return Value.Check(property, (value as Record<string, unknown>)[key])
}

function sentence(schema: TObject, key: string, value: unknown): string {
  const property: { readonly description?: string } = schema.properties[key] ?? {}
  const verb =
    typeof value === 'object' && value !== null && key in value ? 'must be' : 'is missing:'
  return `${key} ${verb} ${property.description ?? 'given'}.`
}

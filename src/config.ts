import path from 'node:path'
import { inspect } from 'node:util'
import { Type, type Static, type TObject, type TProperties } from 'typebox'
import { Value } from 'typebox/value'

/**
 * The only reader of the environment. Each process asks for what it uses, gets it checked and
 * frozen, and hands it down; what is wrong is told in one sentence that names the variable.
 */

/** A value that must not be printed: every usual way of printing it gives stars. */
export class Secret<T> {
  readonly #value: T

  constructor(value: T) {
    this.#value = value
  }

  reveal(): T {
    return this.#value
  }

  toString(): string {
    return '***'
  }

  toJSON(): string {
    return '***'
  }

  [inspect.custom](): string {
    return '***'
  }
}

/** One sentence about a variable that is missing or wrong; it never holds a secret's value. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

type Environment = Readonly<Record<string, string | undefined>>

const HTTP_URL = '^https?://[^\\s?#@]+$'
const POSTGRES_URL = '^postgres(ql)?://\\S+$'
const BASE64_OF_32_BYTES = '^[A-Za-z0-9+/]{43}=$'

/** A variable whose `description` completes the sentence "NAME must be ...". */
const text = (description: string, pattern: string, initial?: string) =>
  Type.String({ description, pattern, ...(initial === undefined ? {} : { default: initial }) })
const port = (initial?: number) =>
  Type.Integer({
    description: 'a port number from 0 to 65535',
    minimum: 0,
    maximum: 65_535,
    ...(initial === undefined ? {} : { default: initial }),
  })

const isUrl = (value: string): boolean => URL.canParse(value)
const databaseUrl = () => Type.Refine(text('a postgres:// address', POSTGRES_URL), isUrl)
const random32Bytes = () => text('32 bytes in Base64 (openssl rand -base64 32)', BASE64_OF_32_BYTES)
const httpUrl = (initial?: string) =>
  Type.Refine(
    text('an http:// or https:// address without query and password', HTTP_URL, initial),
    isUrl,
  )
const name = (initial: string) => text('a word without blanks', '^\\S+$', initial)

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const

const COMMON = {
  YUANLU_LOG_LEVEL: Type.Enum([...LOG_LEVELS], {
    description: `one of ${LOG_LEVELS.join(', ')}`,
    default: 'info',
  }),
  NODE_ENV: name('development'),
}
const TEMPORAL = {
  TEMPORAL_ADDRESS: name('127.0.0.1:7233'),
  TEMPORAL_NAMESPACE: name('default'),
  YUANLU_TASK_QUEUE: name('yuanlu'),
}

const API = Type.Object({
  ...COMMON,
  ...TEMPORAL,
  YUANLU_DATABASE_URL_API: databaseUrl(),
  YUANLU_MASTER_KEY: random32Bytes(),
  YUANLU_HOST: name('127.0.0.1'),
  YUANLU_PORT: port(8080),
  YUANLU_PUBLIC_BASE_URL: httpUrl(),
})
const WORKER = Type.Object({
  ...COMMON,
  ...TEMPORAL,
  YUANLU_DATABASE_URL_WORKER: databaseUrl(),
  YUANLU_MASTER_KEY: random32Bytes(),
  YUANLU_LEDGER_KEY: Type.Optional(random32Bytes()),
  YUANLU_HOST: name('127.0.0.1'),
  YUANLU_METRICS_PORT: Type.Optional(port()),
  YUANLU_PUBLIC_BASE_URL: httpUrl(),
  YUANLU_WECHAT_BASE_URL: httpUrl('https://api.mch.weixin.qq.com'),
  YUANLU_SANDBOX_URL: Type.Optional(httpUrl()),
  YUANLU_SANDBOX_CA: Type.Optional(text('the path of a PEM file', '\\S')),
})
const OWNER = Type.Object({
  YUANLU_DATABASE_URL_OWNER: databaseUrl(),
  YUANLU_DATABASE_URL_API: Type.Optional(databaseUrl()),
  YUANLU_DATABASE_URL_WORKER: Type.Optional(databaseUrl()),
})
const MERCHANT = Type.Object({
  YUANLU_DATABASE_URL_OWNER: databaseUrl(),
  YUANLU_MASTER_KEY: random32Bytes(),
})

const SEED = Type.Object({
  NODE_ENV: name('development'),
  YUANLU_DATABASE_URL_OWNER: databaseUrl(),
  YUANLU_MASTER_KEY: random32Bytes(),
  YUANLU_LEDGER_KEY: random32Bytes(),
})
const AUDITOR = Type.Object({ YUANLU_DATABASE_URL_API: databaseUrl() })
const SEALER = Type.Object({ YUANLU_LEDGER_KEY: random32Bytes() })

/** Reads the named variables; an empty one counts as missing. @throws ConfigError */
function read<P extends TProperties>(
  schema: TObject<P>,
  environment: Environment,
): Static<TObject<P>> {
  const given = Object.keys(schema.properties).flatMap((key) => {
    const value = environment[key]
    if (value === undefined || value === '') return []
    return [[key, isInteger(schema, key) ? readInteger(value) : value] as const]
  })
  const value = Value.Default(schema, Object.fromEntries(given))
  const names = Object.keys(schema.properties)
  const wrong = names.find((key) => !isGood(schema, key, value))
  if (wrong !== undefined) throw new ConfigError(sentence(schema, wrong, value))
  return value as Static<TObject<P>>
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

export interface TemporalConfig {
  readonly address: string
  readonly namespace: string
  readonly taskQueue: string
}

interface CommonConfig {
  readonly logLevel: (typeof LOG_LEVELS)[number]
  readonly nodeEnv: string
}

export interface ApiConfig extends CommonConfig {
  readonly databaseUrl: Secret<string>
  readonly masterKey: Secret<Buffer>
  readonly temporal: TemporalConfig
  readonly host: string
  readonly port: number
  /** What notify URLs start with; without a slash at its end. */
  readonly publicBaseUrl: string
}

/** @throws ConfigError naming the first variable that is missing or wrong. */
export function apiConfig(environment: Environment = process.env): ApiConfig {
  const value = read(API, environment)
  return Object.freeze({
    ...commonOf(value),
    databaseUrl: new Secret(value.YUANLU_DATABASE_URL_API),
    masterKey: keyOf(value.YUANLU_MASTER_KEY),
    temporal: temporalOf(value),
    host: value.YUANLU_HOST,
    port: value.YUANLU_PORT,
    publicBaseUrl: baseUrlOf(value.YUANLU_PUBLIC_BASE_URL),
  })
}

export interface WorkerConfig extends CommonConfig {
  readonly databaseUrl: Secret<string>
  readonly masterKey: Secret<Buffer>
  /** What seals are signed with; the book is not sealed when left out. */
  readonly ledgerKey?: Secret<Buffer>
  readonly temporal: TemporalConfig
  readonly host: string
  /** Where metrics and health are served; not at all when left out. */
  readonly metricsPort?: number
  readonly publicBaseUrl: string
  readonly wechatBaseUrl: string
  /** For accounts whose mode is `sandbox`. */
  readonly sandbox?: { readonly baseUrl: string; readonly caPath?: string }
}

/** @throws ConfigError naming the first variable that is missing or wrong. */
export function workerConfig(environment: Environment = process.env): WorkerConfig {
  const value = read(WORKER, environment)
  const { YUANLU_METRICS_PORT: metricsPort, YUANLU_SANDBOX_URL: sandboxUrl } = value
  const { YUANLU_SANDBOX_CA: caPath, YUANLU_LEDGER_KEY: ledgerKey } = value
  return Object.freeze({
    ...commonOf(value),
    databaseUrl: new Secret(value.YUANLU_DATABASE_URL_WORKER),
    masterKey: keyOf(value.YUANLU_MASTER_KEY),
    temporal: temporalOf(value),
    host: value.YUANLU_HOST,
    publicBaseUrl: baseUrlOf(value.YUANLU_PUBLIC_BASE_URL),
    wechatBaseUrl: baseUrlOf(value.YUANLU_WECHAT_BASE_URL),
    ...(ledgerKey === undefined ? {} : { ledgerKey: keyOf(ledgerKey) }),
    ...(metricsPort === undefined ? {} : { metricsPort }),
    ...(sandboxUrl === undefined
      ? {}
      : {
          sandbox: Object.freeze({
            baseUrl: baseUrlOf(sandboxUrl),
            ...(caPath === undefined ? {} : { caPath }),
          }),
        }),
  })
}

export interface OwnerConfig {
  readonly ownerUrl: Secret<string>
  /** Where given, migrating sets the passwords of these two roles to those in the addresses. */
  readonly apiUrl?: Secret<string>
  readonly workerUrl?: Secret<string>
}

/** @throws ConfigError naming the first variable that is missing or wrong. */
export function ownerConfig(environment: Environment = process.env): OwnerConfig {
  const value = read(OWNER, environment)
  const { YUANLU_DATABASE_URL_API: apiUrl, YUANLU_DATABASE_URL_WORKER: workerUrl } = value
  return Object.freeze({
    ownerUrl: new Secret(value.YUANLU_DATABASE_URL_OWNER),
    ...(apiUrl === undefined ? {} : { apiUrl: new Secret(apiUrl) }),
    ...(workerUrl === undefined ? {} : { workerUrl: new Secret(workerUrl) }),
  })
}

export interface MerchantConfig {
  readonly ownerUrl: Secret<string>
  readonly masterKey: Secret<Buffer>
}

/** For adding merchants: the owner's address and the key that seals their secrets. */
export function merchantConfig(environment: Environment = process.env): MerchantConfig {
  const value = read(MERCHANT, environment)
  return Object.freeze({
    ownerUrl: new Secret(value.YUANLU_DATABASE_URL_OWNER),
    masterKey: keyOf(value.YUANLU_MASTER_KEY),
  })
}

export interface SeedConfig extends MerchantConfig {
  readonly ledgerKey: Secret<Buffer>
  readonly nodeEnv: string
}

/** For filling a book: the owner's address, and the keys that encrypt and seal. */
export function seedConfig(environment: Environment = process.env): SeedConfig {
  const value = read(SEED, environment)
  return Object.freeze({
    nodeEnv: value.NODE_ENV,
    ownerUrl: new Secret(value.YUANLU_DATABASE_URL_OWNER),
    masterKey: keyOf(value.YUANLU_MASTER_KEY),
    ledgerKey: keyOf(value.YUANLU_LEDGER_KEY),
  })
}

/** For reading the book: the address of the role that may change nothing in it. */
export function auditorConfig(environment: Environment = process.env): {
  readonly databaseUrl: Secret<string>
} {
  const value = read(AUDITOR, environment)
  return Object.freeze({ databaseUrl: new Secret(value.YUANLU_DATABASE_URL_API) })
}

/** For telling the public half of the key that signs seals. @throws ConfigError */
export function sealerConfig(environment: Environment = process.env): {
  readonly ledgerKey: Secret<Buffer>
} {
  return Object.freeze({ ledgerKey: keyOf(read(SEALER, environment).YUANLU_LEDGER_KEY) })
}

export interface UpConfig {
  readonly nodeEnv: string
  /** The language of the reader's terminal. */
  readonly language: 'en' | 'zh'
  readonly hasColour: boolean
  /** The folders a command typed without a path is looked for in. */
  readonly searchPath: readonly string[]
}

/** How the terminal of `yuanlu up` is set; nothing of it can be wrong. */
export function upConfig(environment: Environment = process.env): UpConfig {
  const locale = environment['LC_ALL'] || environment['LC_MESSAGES'] || environment['LANG'] || ''
  return Object.freeze({
    nodeEnv: environment['NODE_ENV'] ?? 'development',
    language: locale.toLowerCase().startsWith('zh') ? 'zh' : 'en',
    hasColour: !environment['NO_COLOR'] && environment['TERM'] !== 'dumb',
    searchPath: Object.freeze((environment['PATH'] ?? '').split(path.delimiter)),
  })
}

const keyOf = (base64: string): Secret<Buffer> => new Secret(Buffer.from(base64, 'base64'))

const baseUrlOf = (url: string): string => url.replace(/\/+$/, '')

function commonOf(value: Static<TObject<typeof COMMON>>): CommonConfig {
  return { logLevel: value.YUANLU_LOG_LEVEL, nodeEnv: value.NODE_ENV }
}

function temporalOf(value: Static<TObject<typeof TEMPORAL>>): TemporalConfig {
  return Object.freeze({
    address: value.TEMPORAL_ADDRESS,
    namespace: value.TEMPORAL_NAMESPACE,
    taskQueue: value.YUANLU_TASK_QUEUE,
  })
}

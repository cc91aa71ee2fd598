import path from 'node:path'
import { inspect } from 'node:util'
import { Type, type Static, type TObject, type TProperties } from 'typebox'
import {
  baseUrlOf,
  databaseUrl,
  hostList,
  hostsOf,
  httpUrl,
  milliseconds,
  name,
  networkList,
  port,
  proxyUrl,
  random32Bytes,
  take,
  text,
  type Environment,
} from './config-fields.js'

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

const WECHAT_HOST = 'https://api.mch.weixin.qq.com'
const WECHAT_BACKUP_HOST = 'https://api2.mch.weixin.qq.com'
/** A call to both hosts must end before the activity that makes it (90 s, policies). */
const CONNECT_MS_MAX = 20_000
const ANSWER_MS_MAX = 40_000

const API = Type.Object({
  ...COMMON,
  ...TEMPORAL,
  YUANLU_DATABASE_URL_API: databaseUrl(),
  YUANLU_MASTER_KEY: random32Bytes(),
  YUANLU_HOST: name('127.0.0.1'),
  YUANLU_PORT: port(8080),
  YUANLU_PUBLIC_BASE_URL: httpUrl(),
  YUANLU_WEBHOOK_ALLOW_HOSTS: Type.Optional(hostList()),
  YUANLU_TRUSTED_PROXIES: Type.Optional(networkList()),
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
  YUANLU_WEBHOOK_ALLOW_HOSTS: Type.Optional(hostList()),
  YUANLU_WECHAT_BASE_URL: httpUrl(WECHAT_HOST),
  YUANLU_WECHAT_BACKUP_URL: Type.Optional(httpUrl()),
  YUANLU_WECHAT_PROXY: Type.Optional(proxyUrl()),
  YUANLU_WECHAT_CONNECT_MS: milliseconds(5_000, CONNECT_MS_MAX),
  YUANLU_WECHAT_ANSWER_MS: milliseconds(15_000, ANSWER_MS_MAX),
  YUANLU_WECHAT_BACKGROUND_CONNECT_MS: milliseconds(20_000, CONNECT_MS_MAX),
  YUANLU_WECHAT_BACKGROUND_ANSWER_MS: milliseconds(40_000, ANSWER_MS_MAX),
  YUANLU_SANDBOX_URL: Type.Optional(httpUrl()),
  YUANLU_SANDBOX_CA: Type.Optional(text('the path of a PEM file', '\\S')),
})
const REBUILD = Type.Object({
  ...TEMPORAL,
  YUANLU_DATABASE_URL_WORKER: databaseUrl(),
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
/** What the processes take, none of it needed: for whoever examines how they would be run. */
const EXAMINED = Type.Partial(
  Type.Object({ ...OWNER.properties, ...API.properties, ...WORKER.properties }),
)
const AUDITOR = Type.Object({ YUANLU_DATABASE_URL_API: databaseUrl() })
const SEALER = Type.Object({ YUANLU_LEDGER_KEY: random32Bytes() })

/** Reads the named variables; an empty one counts as missing. @throws ConfigError */
function read<P extends TProperties>(
  schema: TObject<P>,
  environment: Environment,
): Static<TObject<P>> {
  const { value, wrong } = take(schema, environment)
  if (wrong !== undefined) throw new ConfigError(wrong)
  return value as Static<TObject<P>>
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
  /** Hosts of webhook endpoints that may have any address and http. */
  readonly webhookAllowedHosts: readonly string[]
  /** Whose word on where a call comes from is taken. */
  readonly trustedProxies: readonly string[]
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
    webhookAllowedHosts: hostsOf(value.YUANLU_WEBHOOK_ALLOW_HOSTS),
    trustedProxies: hostsOf(value.YUANLU_TRUSTED_PROXIES),
  })
}

/** How WeChat Pay is reached for accounts of real money. */
export interface WeChatRoute {
  /** Its other site, for calls that found no connection to the first. */
  readonly backupUrl?: string
  /** The proxy to go through; its address may hold a password. */
  readonly proxyUrl?: Secret<string>
}

interface CallTimeouts {
  readonly connectMs: number
  readonly answerMs: number
}

/** How long calls to the channel may take where a buyer waits, and where nobody does. */
export interface WeChatTimeoutConfig {
  readonly waiting: CallTimeouts
  readonly background: CallTimeouts
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
  /** Hosts of webhook endpoints that may have any address and http. */
  readonly webhookAllowedHosts: readonly string[]
  readonly wechatBaseUrl: string
  readonly wechatRoute: WeChatRoute
  readonly wechatTimeouts: WeChatTimeoutConfig
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
    webhookAllowedHosts: hostsOf(value.YUANLU_WEBHOOK_ALLOW_HOSTS),
    wechatBaseUrl: baseUrlOf(value.YUANLU_WECHAT_BASE_URL),
    wechatRoute: routeOf(value),
    wechatTimeouts: timeoutsOf(value),
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

/** Another channel than WeChat Pay's own has no backup but the one it is given. */
function routeOf(value: Partial<Static<typeof WORKER>>): WeChatRoute {
  const baseUrl = baseUrlOf(value.YUANLU_WECHAT_BASE_URL ?? WECHAT_HOST)
  const usual = baseUrl === WECHAT_HOST ? WECHAT_BACKUP_HOST : baseUrl
  const backupUrl = baseUrlOf(value.YUANLU_WECHAT_BACKUP_URL ?? usual)
  const proxy = value.YUANLU_WECHAT_PROXY
  return Object.freeze({
    ...(backupUrl === baseUrl ? {} : { backupUrl }),
    ...(proxy === undefined ? {} : { proxyUrl: new Secret(proxy) }),
  })
}

const timeoutsOf = (value: Static<typeof WORKER>): WeChatTimeoutConfig =>
  Object.freeze({
    waiting: Object.freeze({
      connectMs: value.YUANLU_WECHAT_CONNECT_MS,
      answerMs: value.YUANLU_WECHAT_ANSWER_MS,
    }),
    background: Object.freeze({
      connectMs: value.YUANLU_WECHAT_BACKGROUND_CONNECT_MS,
      answerMs: value.YUANLU_WECHAT_BACKGROUND_ANSWER_MS,
    }),
  })

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

/** For starting workflows from their rows: where both are. @throws ConfigError */
export function rebuildConfig(environment: Environment = process.env): {
  readonly databaseUrl: Secret<string>
  readonly temporal: TemporalConfig
} {
  const value = read(REBUILD, environment)
  return Object.freeze({
    databaseUrl: new Secret(value.YUANLU_DATABASE_URL_WORKER),
    temporal: temporalOf(value),
  })
}

/** Every variable that is given, checked, and the reader's language. @throws ConfigError */
export function examinedConfig(environment: Environment = process.env) {
  const value = read(EXAMINED, environment)
  return Object.freeze({
    given: new Secret(value),
    wechatRoute: routeOf(value),
    webhookAllowedHosts: hostsOf(value.YUANLU_WEBHOOK_ALLOW_HOSTS),
    language: languageOf(environment),
  })
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
  return Object.freeze({
    nodeEnv: environment['NODE_ENV'] ?? 'development',
    language: languageOf(environment),
    hasColour: !environment['NO_COLOR'] && environment['TERM'] !== 'dumb',
    searchPath: Object.freeze((environment['PATH'] ?? '').split(path.delimiter)),
  })
}

/** The language of the reader's terminal. */
function languageOf(environment: Environment): 'en' | 'zh' {
  const locale = environment['LC_ALL'] || environment['LC_MESSAGES'] || environment['LANG'] || ''
  return locale.toLowerCase().startsWith('zh') ? 'zh' : 'en'
}

const keyOf = (base64: string): Secret<Buffer> => new Secret(Buffer.from(base64, 'base64'))

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

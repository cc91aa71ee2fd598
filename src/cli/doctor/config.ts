import { examinedConfig, Secret } from '../../config.js'

/** What there is to examine; what is not given leaves its check out. */
export interface DoctorConfig {
  readonly ownerUrl?: Secret<string>
  readonly apiUrl?: Secret<string>
  readonly workerUrl?: Secret<string>
  readonly masterKey?: Secret<Buffer>
  readonly temporal: { readonly address: string; readonly namespace: string }
  readonly publicBaseUrl?: string
  readonly wechatBaseUrl: string
  /** WeChat Pay's other site, where one is used. */
  readonly backupUrl?: string
  /** Its address may hold a password. */
  readonly proxyUrl?: Secret<string>
  readonly sandbox?: { readonly baseUrl: string; readonly caPath?: string }
  /** Hosts of webhooks that may have any address and http. */
  readonly webhookAllowedHosts: readonly string[]
  readonly language: 'en' | 'zh'
}

/** @throws ConfigError naming the first variable that is wrong */
export function doctorConfig(): DoctorConfig {
  const { given, language, wechatRoute, webhookAllowedHosts } = examinedConfig()
  const value = given.reveal()
  const { YUANLU_DATABASE_URL_OWNER: ownerUrl, YUANLU_DATABASE_URL_API: apiUrl } = value
  const { YUANLU_DATABASE_URL_WORKER: workerUrl, YUANLU_MASTER_KEY: masterKey } = value
  const { YUANLU_PUBLIC_BASE_URL: publicBaseUrl } = value
  const { backupUrl, proxyUrl } = wechatRoute
  const { YUANLU_SANDBOX_URL: sandboxUrl, YUANLU_SANDBOX_CA: caPath } = value
  return {
    language,
    webhookAllowedHosts,
    temporal: {
      address: value.TEMPORAL_ADDRESS ?? '',
      namespace: value.TEMPORAL_NAMESPACE ?? '',
    },
    wechatBaseUrl: value.YUANLU_WECHAT_BASE_URL ?? '',
    ...(ownerUrl && { ownerUrl: new Secret(ownerUrl) }),
    ...(apiUrl && { apiUrl: new Secret(apiUrl) }),
    ...(workerUrl && { workerUrl: new Secret(workerUrl) }),
    ...(masterKey && { masterKey: new Secret(Buffer.from(masterKey, 'base64')) }),
    ...(publicBaseUrl && { publicBaseUrl: publicBaseUrl.replace(/\/+$/, '') }),
    ...(backupUrl && { backupUrl }),
    ...(proxyUrl && { proxyUrl }),
    ...(sandboxUrl && { sandbox: { baseUrl: sandboxUrl, ...(caPath && { caPath }) } }),
  }
}

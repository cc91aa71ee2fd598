import { inspect } from 'node:util'

import { describe, expect, test } from 'vitest'

import {
  apiConfig,
  merchantConfig,
  ownerConfig,
  sealerConfig,
  Secret,
  workerConfig,
} from '../src/config.js'

const KEY = Buffer.alloc(32, 7).toString('base64')
const API = {
  YUANLU_DATABASE_URL_API: 'postgres://yuanlu_api:hush@127.0.0.1:5432/yuanlu',
  YUANLU_MASTER_KEY: KEY,
  YUANLU_PUBLIC_BASE_URL: 'https://pay.example.com/',
}
const WORKER = {
  YUANLU_DATABASE_URL_WORKER: 'postgres://yuanlu_worker:hush@127.0.0.1:5432/yuanlu',
  YUANLU_MASTER_KEY: KEY,
  YUANLU_PUBLIC_BASE_URL: 'https://pay.example.com',
}

describe('configuration', () => {
  test('of the worker: has a key for seals only where one is given', () => {
    expect(workerConfig(WORKER).ledgerKey).toBeUndefined()
    const { ledgerKey } = workerConfig({ ...WORKER, YUANLU_LEDGER_KEY: KEY })
    expect(ledgerKey?.reveal()).toHaveLength(32)
    expect(() => workerConfig({ ...WORKER, YUANLU_LEDGER_KEY: 'hush' })).toThrow(
      /^YUANLU_LEDGER_KEY must be 32 bytes in Base64/,
    )
    expect(() => sealerConfig({})).toThrow(/^YUANLU_LEDGER_KEY is missing/)
  })

  test('of the API: has its defaults, is frozen, and drops the last slash', () => {
    const config = apiConfig(API)
    expect(config).toMatchObject({
      host: '127.0.0.1',
      port: 8080,
      publicBaseUrl: 'https://pay.example.com',
      logLevel: 'info',
      nodeEnv: 'development',
      temporal: { address: '127.0.0.1:7233', namespace: 'default', taskQueue: 'yuanlu' },
    })
    expect(config.masterKey.reveal()).toHaveLength(32)
    expect(Object.isFrozen(config) && Object.isFrozen(config.temporal)).toBe(true)
  })

  test('of API and worker: vouch for the webhook hosts that are given, and no other', () => {
    const YUANLU_WEBHOOK_ALLOW_HOSTS = '127.0.0.1:9000,Receiver'
    for (const webhookAllowedHosts of [
      apiConfig({ ...API, YUANLU_WEBHOOK_ALLOW_HOSTS }).webhookAllowedHosts,
      workerConfig({ ...WORKER, YUANLU_WEBHOOK_ALLOW_HOSTS }).webhookAllowedHosts,
    ]) {
      expect(webhookAllowedHosts).toEqual(['127.0.0.1:9000', 'receiver'])
    }
    expect(apiConfig(API).webhookAllowedHosts).toEqual([])
    for (const wrong of ['http://receiver', 'a,,b', 'a b', 'a,']) {
      expect(() => workerConfig({ ...WORKER, YUANLU_WEBHOOK_ALLOW_HOSTS: wrong })).toThrow(
        /^YUANLU_WEBHOOK_ALLOW_HOSTS must be hosts/,
      )
    }
  })

  test('of the API: takes the word of the proxies that are given, and of no other', () => {
    const given = { ...API, YUANLU_TRUSTED_PROXIES: '10.0.0.0/8,127.0.0.1,fd00::/8' }
    expect(apiConfig(given).trustedProxies).toEqual(['10.0.0.0/8', '127.0.0.1', 'fd00::/8'])
    expect(apiConfig(API).trustedProxies).toEqual([])
    for (const wrong of ['proxy', '10.0.0.0/33', '10.0.0', '10.0.0.1,', '10.0.0.0/8/8', '*']) {
      expect(() => apiConfig({ ...API, YUANLU_TRUSTED_PROXIES: wrong })).toThrow(
        /^YUANLU_TRUSTED_PROXIES must be addresses or networks/,
      )
    }
  })

  test('of the worker: knows the sandbox only when it is given', () => {
    expect(workerConfig(WORKER)).not.toHaveProperty('sandbox')
    const config = workerConfig({
      ...WORKER,
      YUANLU_SANDBOX_URL: 'https://localhost:8443/',
      YUANLU_SANDBOX_CA: '/data/ca.pem',
      YUANLU_METRICS_PORT: '9090',
    })
    expect(config).toMatchObject({
      wechatBaseUrl: 'https://api.mch.weixin.qq.com',
      sandbox: { baseUrl: 'https://localhost:8443', caPath: '/data/ca.pem' },
      metricsPort: 9090,
    })
  })

  test('of the worker: reaches WeChat Pay by both its hosts, within the usual times', () => {
    expect(workerConfig(WORKER)).toMatchObject({
      wechatRoute: { backupUrl: 'https://api2.mch.weixin.qq.com' },
      wechatTimeouts: {
        waiting: { connectMs: 5_000, answerMs: 15_000 },
        background: { connectMs: 20_000, answerMs: 40_000 },
      },
    })
    expect(workerConfig(WORKER).wechatRoute).not.toHaveProperty('proxyUrl')
  })

  test('of the worker: another channel has the backup it is given, or none', () => {
    const backupOf = (variables: object) =>
      workerConfig({ ...WORKER, ...variables }).wechatRoute.backupUrl
    const YUANLU_WECHAT_BASE_URL = 'https://one.example/'
    expect(backupOf({ YUANLU_WECHAT_BASE_URL })).toBeUndefined()
    const YUANLU_WECHAT_BACKUP_URL = 'https://two.example/'
    expect(backupOf({ YUANLU_WECHAT_BACKUP_URL })).toBe('https://two.example')
    const same = { YUANLU_WECHAT_BACKUP_URL: 'https://api.mch.weixin.qq.com' }
    expect(backupOf(same)).toBeUndefined()
  })

  test('of the worker: the proxy may have a password, which is not printed', () => {
    const YUANLU_WECHAT_PROXY = 'http://yuanlu:hush@proxy.example:3128'
    const { wechatRoute } = workerConfig({ ...WORKER, YUANLU_WECHAT_PROXY })
    expect(wechatRoute.proxyUrl?.reveal()).toBe(YUANLU_WECHAT_PROXY)
    expect(`${inspect(wechatRoute)}${JSON.stringify(wechatRoute)}`).not.toContain('hush')
  })

  test.each([
    ['YUANLU_WECHAT_PROXY', 'socks5://hush@proxy.example', /must be the http:\/\/ or https:/],
    ['YUANLU_WECHAT_PROXY', 'http://proxy.example/hush', /must be the http:\/\/ or https:/],
    ['YUANLU_WECHAT_CONNECT_MS', '99', /must be milliseconds from 100 to 20000\.$/],
    ['YUANLU_WECHAT_ANSWER_MS', '40001', /must be milliseconds from 100 to 40000\.$/],
    ['YUANLU_WECHAT_BACKGROUND_CONNECT_MS', '1e4', /must be milliseconds from 100 to 20000\.$/],
    ['YUANLU_WECHAT_BACKGROUND_ANSWER_MS', '0', /must be milliseconds from 100 to 40000\.$/],
  ])('of the worker: %s cannot be %s', (variable, value, message) => {
    const run = () => workerConfig({ ...WORKER, [variable]: value })
    expect(run).toThrow(message)
    expect(run).not.toThrow(/hush/)
  })

  test('of the owner: demands its own address only', () => {
    const YUANLU_DATABASE_URL_OWNER = 'postgresql://owner@127.0.0.1/yuanlu'
    expect(ownerConfig({ YUANLU_DATABASE_URL_OWNER })).not.toHaveProperty('apiUrl')
    expect(() => merchantConfig({ YUANLU_DATABASE_URL_OWNER })).toThrow(/YUANLU_MASTER_KEY/)
  })

  test.each([
    ['YUANLU_DATABASE_URL_API', undefined, /^YUANLU_DATABASE_URL_API is missing: a postgres:/],
    ['YUANLU_DATABASE_URL_API', '', /^YUANLU_DATABASE_URL_API is missing/],
    ['YUANLU_DATABASE_URL_API', 'mysql://hush@host/db', /must be a postgres:\/\/ address\.$/],
    ['YUANLU_DATABASE_URL_API', 'postgres://[hush', /must be a postgres:\/\/ address\.$/],
    ['YUANLU_MASTER_KEY', undefined, /^YUANLU_MASTER_KEY is missing/],
    ['YUANLU_MASTER_KEY', 'hush', /^YUANLU_MASTER_KEY must be 32 bytes in Base64/],
    ['YUANLU_PUBLIC_BASE_URL', undefined, /^YUANLU_PUBLIC_BASE_URL is missing/],
    ['YUANLU_PUBLIC_BASE_URL', 'ftp://a.example', /^YUANLU_PUBLIC_BASE_URL must be/],
    ['YUANLU_PUBLIC_BASE_URL', 'https://a.example/?q=hush', /without query and password/],
    ['YUANLU_PUBLIC_BASE_URL', 'https://me:hush@a.example', /without query and password/],
    ['YUANLU_PORT', '80a', /^YUANLU_PORT must be a port number from 0 to 65535\.$/],
    ['YUANLU_PORT', '65536', /^YUANLU_PORT must be a port number/],
    ['YUANLU_PORT', '1.5', /^YUANLU_PORT must be a port number/],
    ['YUANLU_LOG_LEVEL', 'loud', /^YUANLU_LOG_LEVEL must be one of fatal, error/],
    ['TEMPORAL_ADDRESS', 'a b', /^TEMPORAL_ADDRESS must be a word without blanks\.$/],
  ])('%s as %s: is told in one sentence without the value', (name, value, sentence) => {
    const read = () => apiConfig({ ...API, [name]: value })
    expect(read).toThrow(sentence)
    expect(read).not.toThrow(/hush/)
  })

  test('a secret: is printed as stars, whichever way', () => {
    const config = apiConfig(API)
    const printed = [
      inspect(config, { depth: null, showHidden: true }),
      JSON.stringify(config),
      String(config.databaseUrl),
    ].join()
    expect(printed).toContain('***')
    expect(printed).not.toMatch(/hush|BwcHBwc|7, 7/)
    expect(new Secret('hush').reveal()).toBe('hush')
  })
})

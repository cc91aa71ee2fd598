import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'

import { describe, expect, test } from 'vitest'

import { cloneRoot } from '../../src/cli/local/clone.js'
import { apiConfig, merchantConfig, ownerConfig, workerConfig } from '../../src/config.js'
import { isRegisteredCommand, knownVariables } from '../docs/project-facts.js'
import {
  composeText,
  environmentOf,
  OUR_IMAGE,
  readComposeFile,
  readEnvironment,
  type Service,
} from './compose-file.js'

const run = promisify(execFile)
const { services, volumes } = readComposeFile()
const ours = Object.entries(services).filter(([, { image }]) => image === OUR_IMAGE)

const withSecrets = ours.filter(([name]) => name !== 'sandbox')

const filled = readEnvironment(
  (await run('sh', [path.join(cloneRoot, 'deploy', 'make-env.sh')])).stdout,
)

function serviceOf(name: string): Service {
  const service = services[name]
  if (service === undefined) throw new Error(`docker-compose.yml has no service ${name}.`)
  return service
}

describe('docker-compose.yml against the code', () => {
  test.each(ours)('compose: the command of %s is one that yuanlu has', async (name, service) => {
    const command = service.command ?? []
    if (name === 'admin') expect(command).toEqual(['--help'])
    else expect(await isRegisteredCommand(command)).toBe(true)
  })

  test('compose: a command that yuanlu does not have would be noticed', async () => {
    expect(await isRegisteredCommand(['apii'])).toBe(false)
    expect(await isRegisteredCommand(['sandbox', '--bogus'])).toBe(false)
  })

  test.each(ours)(
    'compose: every variable of %s is one that the configuration reads',
    (_name, service) => {
      const names = Object.keys(service.environment ?? {})
      expect(names.filter((variable) => !knownVariables().has(variable))).toEqual([])
    },
  )

  test.each([
    ['api', apiConfig],
    ['worker', workerConfig],
    ['migrate', ownerConfig],
    ['admin', ownerConfig],
    ['admin', merchantConfig],
  ] as const)('compose: %s gets a configuration that is accepted (%o)', (name, parse) => {
    expect(() => parse(environmentOf(serviceOf(name), filled))).not.toThrow()
  })

  test('compose: migrate sets the passwords that API and worker use', () => {
    const { apiUrl, workerUrl } = ownerConfig(environmentOf(serviceOf('migrate'), filled))
    const api = apiConfig(environmentOf(serviceOf('api'), filled))
    const worker = workerConfig(environmentOf(serviceOf('worker'), filled))
    expect(apiUrl?.reveal()).toBe(api.databaseUrl.reveal())
    expect(workerUrl?.reveal()).toBe(worker.databaseUrl.reveal())
  })

  test('compose: API and worker agree on queue, namespace, key and notify address', () => {
    const api = apiConfig(environmentOf(serviceOf('api'), filled))
    const worker = workerConfig(environmentOf(serviceOf('worker'), filled))
    expect(worker.temporal).toEqual(api.temporal)
    expect(worker.masterKey.reveal()).toEqual(api.masterKey.reveal())
    expect(worker.publicBaseUrl).toBe(api.publicBaseUrl)
  })

  test.each(['worker', 'admin'])(
    'compose: %s is handed every variable by which WeChat Pay is reached',
    (name) => {
      const known = [...knownVariables()].filter((each) => each.startsWith('YUANLU_WECHAT_'))
      const given = Object.keys(serviceOf(name).environment ?? {})
      expect(known.length).toBeGreaterThan(5)
      expect(given).toEqual(expect.arrayContaining(known))
    },
  )

  test('compose: how WeChat Pay is reached is what .env says', () => {
    const set = {
      YUANLU_WECHAT_PROXY: 'http://me:secret@proxy.example.com:3128',
      YUANLU_WECHAT_BACKUP_URL: 'https://api3.mch.weixin.qq.com',
      YUANLU_WECHAT_ANSWER_MS: '12000',
    }
    const worker = workerConfig(environmentOf(serviceOf('worker'), { ...filled, ...set }))
    expect(worker.wechatRoute.proxyUrl?.reveal()).toBe(set.YUANLU_WECHAT_PROXY)
    expect(worker.wechatRoute.backupUrl).toBe(set.YUANLU_WECHAT_BACKUP_URL)
    expect(worker.wechatTimeouts.waiting.answerMs).toBe(12_000)
    const untouched = workerConfig(environmentOf(serviceOf('worker'), filled))
    expect(untouched.wechatRoute.backupUrl).toBe('https://api2.mch.weixin.qq.com')
  })

  test('compose: without a sandbox in .env the worker knows of none', () => {
    const { YUANLU_SANDBOX_URL: _url, YUANLU_SANDBOX_CA: _ca, ...live } = filled
    expect(workerConfig(environmentOf(serviceOf('worker'), live)).sandbox).toBeUndefined()
  })

  test.each(withSecrets)('compose: %s does not start with a secret missing', (_name, service) => {
    const secrets = Object.keys(filled).filter((name) => /PASSWORD|KEY/.test(name))
    const used = secrets.filter((name) => JSON.stringify(service.environment).includes(name))
    for (const name of used) {
      expect(() => environmentOf(service, { ...filled, [name]: '' })).toThrow(name)
    }
  })
})

describe('docker-compose.yml in itself', () => {
  const all = Object.entries(services)

  test('compose: every port is published on the loopback address', () => {
    const ports = all.flatMap(([, service]) => service.ports ?? [])
    expect(ports.length).toBeGreaterThan(0)
    expect(ports.filter((port) => !port.startsWith('127.0.0.1:'))).toEqual([])
  })

  test('compose: no password stands in the file', () => {
    expect(composeText).not.toMatch(/PASSWORD: [^$]|PWD: [^$]|MASTER_KEY: [^$]/)
  })

  test('compose: what is waited for exists, and has a health check where health is meant', () => {
    const waits = all.flatMap(([, service]) => Object.entries(service.depends_on ?? {}))
    const inVain = waits.filter(([name, { condition }]) => {
      const { healthcheck, restart } = serviceOf(name)
      return condition === 'service_healthy'
        ? healthcheck === undefined
        : restart !== 'on-failure:5'
    })
    expect(waits.length).toBeGreaterThan(0)
    expect(inVain).toEqual([])
  })

  test('compose: every mounted file and volume exists', () => {
    const sources = all
      .flatMap(([, service]) => service.volumes ?? [])
      .map((mount) => {
        return mount.split(':')[0] ?? ''
      })
    const missing = sources.filter((source) => {
      return source.startsWith('./')
        ? !existsSync(path.join(cloneRoot, source))
        : !Object.hasOwn(volumes, source)
    })
    expect(missing).toEqual([])
  })

  test('compose: .env.example names every variable of the file and no other', () => {
    const example = readFileSync(path.join(cloneRoot, '.env.example'), 'utf8')
    const documented = [...example.matchAll(/^(?:# )?([A-Z_]+)=/gm)].map(([, name]) => name ?? '')
    const interpolated = [...composeText.matchAll(/\$\{([A-Z_]+)/g)].map(([, name]) => name ?? '')
    const handedOn = all.flatMap(([, { environment }]) => {
      return Object.entries(environment ?? {}).flatMap(([name, value]) => {
        return value === null ? [name] : []
      })
    })
    const used = new Set([...interpolated, ...handedOn, 'COMPOSE_PROFILES'])
    expect(new Set(documented)).toEqual(used)
  })
})

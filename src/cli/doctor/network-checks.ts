import { randomBytes } from 'node:crypto'
import { connect } from 'node:net'

import { Agent, ProxyAgent, request, type Dispatcher } from 'undici'

import { fine, wrong, type Finding } from './finding.js'

const TIMEOUT_MS = 5_000
/** WeChat Pay's own bound is five minutes; what is further off than this is not kept at all. */
const CLOCK_OFF_MAX_MS = 30_000
const TOKEN_BYTES = 16

/** Where the channel is and how it is reached. */
export interface ChannelPeer {
  readonly baseUrl: string
  readonly caPem?: string
  readonly proxyUrl?: string
}

/** Compares our clock with the Date that the channel writes over any of its answers. */
export async function checkClock(peer: ChannelPeer, now: () => Date): Promise<Finding> {
  const { baseUrl } = peer
  const dispatcher = dispatcherOf(peer)
  try {
    const { headers, body } = await request(baseUrl, { method: 'HEAD', ...limits, dispatcher })
    await body.dump()
    return judgeClock(headers['date'], now())
  } catch {
    return wrong(
      'clock',
      `${baseUrl} does not answer: let this machine reach it, or set YUANLU_WECHAT_PROXY.`,
      `${baseUrl} 无应答:请放通网络,或设置 YUANLU_WECHAT_PROXY。`,
    )
  } finally {
    await dispatcher.destroy()
  }
}

/**
 * Whether the channel's other site answers, which is noticed otherwise only once the first one does
 * not.
 */
export async function checkBackupHost(peer: ChannelPeer | undefined): Promise<Finding> {
  if (peer === undefined) {
    return fine('backup-host', 'No backup host is used.', '未使用备用域名。')
  }
  const { baseUrl } = peer
  const dispatcher = dispatcherOf(peer)
  try {
    const { body } = await request(baseUrl, { method: 'HEAD', ...limits, dispatcher })
    await body.dump()
    return fine('backup-host', `${baseUrl} answers.`, `${baseUrl} 可达。`)
  } catch {
    return wrong(
      'backup-host',
      `${baseUrl} does not answer: let this machine reach it, or correct YUANLU_WECHAT_BACKUP_URL.`,
      `${baseUrl} 无应答:请放通网络,或更正 YUANLU_WECHAT_BACKUP_URL。`,
    )
  } finally {
    await dispatcher.destroy()
  }
}

function judgeClock(date: unknown, now: Date): Finding {
  const theirs = typeof date === 'string' ? Date.parse(date) : Number.NaN
  if (Number.isNaN(theirs)) {
    return wrong(
      'clock',
      'What answers there writes no Date: it is not WeChat Pay; look at address and proxy.',
      '对方的应答没有 Date 头,不是微信支付:请检查地址和代理。',
    )
  }
  const seconds = Math.round((now.getTime() - theirs) / 1_000)
  if (Math.abs(seconds) * 1_000 <= CLOCK_OFF_MAX_MS) {
    return fine('clock', `The clock is right within ${Math.abs(seconds) + 1} s.`, '时钟准确。')
  }
  const [en, zh] = seconds > 0 ? ['fast', '快'] : ['slow', '慢']
  const off = Math.abs(seconds)
  return wrong(
    'clock',
    `The clock is ${off} s ${en}: have it set by NTP (timedatectl set-ntp true).`,
    `时钟${zh}了 ${off} 秒:请启用 NTP 校时(timedatectl set-ntp true)。`,
  )
}

/**
 * Posts to an address under the notify URLs that no account has: our API refuses it with a problem
 * of its own, whatever else answers is not our API, and nothing is stored or counted.
 */
export async function checkNotifyUrl(publicBaseUrl: string): Promise<Finding> {
  const url = `${publicBaseUrl}/notify/${randomBytes(TOKEN_BYTES).toString('base64url')}/payment`
  try {
    const { statusCode, headers, body } = await request(url, {
      method: 'POST',
      headers: { 'content-type': 'text/xml' },
      body: '<xml/>',
      ...limits,
    })
    const answer = await body.text()
    if (statusCode === 404 && answer.includes('urn:yuanlu:error:not_found')) {
      return fine('notify-url', `${publicBaseUrl} takes POST.`, `${publicBaseUrl} 可接收 POST。`)
    }
    return wrong('notify-url', ...wayOut(publicBaseUrl, statusCode, headers['location']))
  } catch {
    return wrong(
      'notify-url',
      `${publicBaseUrl} does not answer: start the API, and lead this address to it.`,
      `${publicBaseUrl} 无应答:请启动 API,并将该地址转发给它。`,
    )
  }
}

function wayOut(base: string, status: number, location: unknown): [en: string, zh: string] {
  if (status >= 300 && status < 400) {
    const to = typeof location === 'string' ? location : '?'
    return [
      `${base} redirects to ${to}, which WeChat Pay does not follow: set that as the base URL.`,
      `${base} 重定向到 ${to},微信支付不跟随重定向:请直接使用该地址。`,
    ]
  }
  if (status === 405 || status === 403) {
    return [
      `${base} refuses POST with ${status}: let the proxy before the API pass POST to /notify/.`,
      `${base} 以 ${status} 拒绝 POST:请让前置代理放行对 /notify/ 的 POST。`,
    ]
  }
  return [
    `${base} answers ${status} and is not the API: lead /notify/ of this address to it.`,
    `${base} 应答 ${status},不是 API:请将该地址的 /notify/ 转发给 API。`,
  ]
}

/** Opens a connection to the proxy, where one is set. */
export async function checkProxy(proxyUrl: string | undefined): Promise<Finding> {
  if (proxyUrl === undefined) return fine('proxy', 'No proxy is set.', '未设置代理。')
  const { host, hostname, port, protocol } = new URL(proxyUrl)
  const isOpen = await canConnect(hostname, Number(port || (protocol === 'https:' ? 443 : 80)))
  return isOpen
    ? fine('proxy', `The proxy ${host} is reached.`, `代理 ${host} 可达。`)
    : wrong(
        'proxy',
        `The proxy ${host} does not answer: start it, or correct YUANLU_WECHAT_PROXY.`,
        `代理 ${host} 无应答:请启动它,或更正 YUANLU_WECHAT_PROXY。`,
      )
}

function canConnect(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: TIMEOUT_MS })
    const settle = (isOpen: boolean) => (): void => {
      socket.destroy()
      resolve(isOpen)
    }
    socket.on('connect', settle(true)).on('error', settle(false)).on('timeout', settle(false))
  })
}

const limits = { headersTimeout: TIMEOUT_MS, bodyTimeout: TIMEOUT_MS } as const

function dispatcherOf({ caPem, proxyUrl }: ChannelPeer): Dispatcher {
  const tls = caPem === undefined ? {} : { ca: caPem }
  return proxyUrl === undefined
    ? new Agent({ connect: { ...tls, timeout: TIMEOUT_MS } })
    : new ProxyAgent({ uri: proxyUrl, requestTls: tls })
}

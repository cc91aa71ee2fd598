import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'

import type { Queryable } from '../../db/pool.js'
import { isPublicAddress } from '../../webhooks/addresses.js'
import { targetOf, type AllowedHosts, type TargetRefusal } from '../../webhooks/target.js'
import { fine, wrong, type Finding, type Words } from './finding.js'

/** Every address of a name; throws where nobody knows it. */
export type Resolve = (host: string) => Promise<readonly string[]>

export const resolveName: Resolve = async (host) =>
  (await lookup(host, { all: true })).map(({ address }) => address)

const ENDPOINTS = `select merchant_id as "merchantId", url from webhook_endpoints
  where enabled and deleted_at is null and ($1::text is null or merchant_id = $1)
  order by merchant_id, created_at, id`

interface Endpoint {
  readonly merchantId: string
  readonly url: string
}

/**
 * Whether every webhook that is switched on, of one merchant or of all, leads to where events are
 * sent: what is found wrong with the first of them is told, without its path.
 */
export async function checkWebhooks(
  db: Queryable,
  merchantId: string | null,
  { allowedHosts, resolve }: { readonly allowedHosts: AllowedHosts; readonly resolve: Resolve },
): Promise<Finding> {
  const endpoints = await db.rows<Endpoint>({ text: ENDPOINTS }, [merchantId])
  const problems = await Promise.all(
    endpoints.map(async (endpoint) => ({
      endpoint,
      problem: await problemOf(endpoint, allowedHosts, resolve),
    })),
  )
  const bad = problems.filter(({ problem }) => problem !== undefined)
  const [first] = bad
  if (first?.problem === undefined) {
    const { length } = endpoints
    return fine(
      'webhooks',
      `${length} webhooks lead to where events may be sent.`,
      `${length} 个回调地址均可投递。`,
    )
  }
  const { en, zh } = first.problem
  const name = `${hostOf(first.endpoint.url)} (${first.endpoint.merchantId})`
  const more = bad.length - 1
  return wrong(
    'webhooks',
    `The webhook at ${name} ${en}${more > 0 ? ` (${more} more are wrong)` : ''}`,
    `回调地址 ${name} ${zh}${more > 0 ? `(另有 ${more} 个)` : ''}`,
  )
}

const hostOf = (url: string): string => (URL.canParse(url) ? new URL(url).host : '?')

async function problemOf(
  { url }: Endpoint,
  allowedHosts: AllowedHosts,
  resolve: Resolve,
): Promise<Words | undefined> {
  const target = targetOf(url, allowedHosts)
  if (typeof target === 'string') return REFUSED[target]
  if (target.allowed) return undefined
  const known = isIP(target.host) === 0 ? resolve(target.host) : [target.host]
  const addresses = await Promise.resolve(known).catch(() => [])
  if (addresses.length === 0) return UNKNOWN
  const hidden = addresses.find((address) => !isPublicAddress(address))
  return hidden === undefined ? undefined : leadsTo(hidden)
}

const leadsTo = (address: string): Words => ({
  en: `leads to ${address}, which is not public: correct the DNS, or the webhook's URL.`,
  zh: `指向非公网地址 ${address}:请更正 DNS 或回调地址。`,
})

const UNKNOWN: Words = {
  en: "has a name that nobody knows: correct the DNS, or the webhook's URL.",
  zh: '的域名无法解析:请更正 DNS 或回调地址。',
}

const REPAIR = { en: 'correct its URL, or', zh: '请更正该地址,或设置' }
const refused = (en: string, zh: string): Words => ({
  en: `${en}: ${REPAIR.en} name the host in YUANLU_WEBHOOK_ALLOW_HOSTS.`,
  zh: `${zh}:${REPAIR.zh} YUANLU_WEBHOOK_ALLOW_HOSTS。`,
})

const REFUSED: Readonly<Record<TargetRefusal, Words>> = {
  not_a_url: refused('is no address', '不是有效地址'),
  not_https: refused('does not begin with https', '不是 https 地址'),
  port: refused('has another port than 443 and 8443', '端口不是 443 或 8443'),
  credentials: refused('holds a user or a password', '包含用户名或密码'),
  not_public: refused('is not on the public internet', '不是公网地址'),
}

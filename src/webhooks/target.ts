import { isIP } from 'node:net'
import { isPublicAddress } from './addresses.js'

export const URL_LENGTH_MAX = 2_048
const PORTS: ReadonlySet<number> = new Set([443, 8443])

/** Hosts, with a port or without, that the operator vouches for: http and any address will do. */
export type AllowedHosts = readonly string[]

/** Where to send to, checked as far as it can be without asking the DNS. */
export interface Target {
  readonly url: URL
  /** The host without brackets: a name, or an address in its usual notation. */
  readonly host: string
  /** True when the operator vouches for it. */
  readonly allowed: boolean
}

export type TargetRefusal = 'not_a_url' | 'not_https' | 'port' | 'credentials' | 'not_public'

/**
 * Reads a URL that a user entered. The parser turns every odd notation of an IPv4 address into the
 * usual one, so what is checked here is what would be connected to.
 */
export function targetOf(
  text: string,
  allowedHosts: AllowedHosts,
  ports: ReadonlySet<number> = PORTS,
): Target | TargetRefusal {
  if (text.length > URL_LENGTH_MAX || !URL.canParse(text)) return 'not_a_url'
  const url = new URL(text)
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  if (url.username !== '' || url.password !== '') return 'credentials'
  const allowed = allowedHosts.includes(url.hostname) || allowedHosts.includes(url.host)
  if (allowed && url.protocol === 'http:') return { url, host, allowed }
  if (url.protocol !== 'https:') return 'not_https'
  if (allowed) return { url, host, allowed }
  if (!ports.has(Number(url.port || '443'))) return 'port'
  if (isLocalName(host) || (isIP(host) !== 0 && !isPublicAddress(host))) return 'not_public'
  return { url, host, allowed }
}

/** Names that never mean a server on the internet (RFC 6761 and 6762), and names without a dot. */
const isLocalName = (host: string): boolean =>
  isIP(host) === 0 &&
  (!host.replace(/\.$/, '').includes('.') || /\.(localhost|local|internal)\.?$/.test(host))

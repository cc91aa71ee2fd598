import { isIP } from 'node:net'

const LOCAL_SUFFIXES = ['.local', '.localhost', '.internal', '.lan', '.home.arpa', '.test']

/**
 * Why WeChat Pay could not send notifications to addresses under this base, or nothing when it
 * can: V2 wants https on its own port, a public host name and no query (unifiedorder, notify_url).
 */
export function whyNotPublic(baseUrl: string): string | undefined {
  const url = URL.canParse(baseUrl) ? new URL(baseUrl) : undefined
  if (url === undefined) return 'it is not an address'
  if (url.protocol !== 'https:') return 'it is not https'
  if (url.port !== '') return 'it names a port'
  if (url.search !== '' || url.hash !== '') return 'it has a query'
  if (url.username !== '' || url.password !== '') return 'it holds a password'
  return isHostName(url.hostname) ? undefined : 'its host is not a public host name'
}

function isHostName(host: string): boolean {
  // IPv6 addresses stand in brackets.
  if (isIP(host) !== 0 || host.startsWith('[')) return false
  const name = host.toLowerCase().replace(/\.$/, '')
  return name.includes('.') && !LOCAL_SUFFIXES.some((suffix) => name.endsWith(suffix))
}

/** Where the channel sends what it has to say about one kind of thing of an account. */
export const notifyUrl = (
  publicBaseUrl: string,
  token: string,
  kind: 'payment' | 'refund',
): string => `${publicBaseUrl.replace(/\/+$/, '')}/notify/${token}/${kind}`

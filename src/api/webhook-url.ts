import { targetOf, type AllowedHosts, type TargetRefusal } from '../webhooks/target.js'
import { InvalidFields } from './field-errors.js'
import type { Language } from './language.js'

const SENTENCES: Readonly<Record<TargetRefusal, Readonly<Record<Language, string>>>> = {
  not_a_url: { en: 'must be an address with https', zh: '必须是 https 地址' },
  not_https: { en: 'must begin with https', zh: '必须以 https 开头' },
  port: { en: 'must have port 443 or 8443', zh: '端口必须为 443 或 8443' },
  credentials: { en: 'must hold no user and no password', zh: '不得包含用户名或密码' },
  not_public: { en: 'must be on the public internet', zh: '必须是公网地址' },
}

/**
 * Refuses at once what would be refused at every try; a name's addresses are looked at when
 * something is sent.
 * @throws InvalidFields
 */
export function refuseUrl(url: string, allowedHosts: AllowedHosts): void {
  const target = targetOf(url, allowedHosts)
  if (typeof target !== 'string') return
  throw new InvalidFields([{ in: 'body', field: 'url', detail: SENTENCES[target] }])
}

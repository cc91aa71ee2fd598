import { randomBytes } from 'node:crypto'

import { activeCredentials } from '../../db/credentials.js'
import type { Envelope } from '../../db/envelope.js'
import { accountsOf, type AccountRow } from '../../db/merchants.js'
import type { Queryable } from '../../db/pool.js'
import { createWeChatChannel, type WeChatAccount } from '../../wechat/channel.js'
import { problemOfCertificate } from './database-checks.js'
import { fine, wrong, type Finding } from './finding.js'
import { checkClock, checkNotifyUrl, type ChannelPeer } from './network-checks.js'
import { storedCertificates } from './stored-certificates.js'
import { checkWebhooks, type Resolve } from './webhook-checks.js'

export interface MerchantCheck {
  readonly db: Queryable
  readonly envelope: Envelope
  readonly merchantId: string
  /** The channel of accounts of real money, and the sandbox for the others. */
  readonly live: ChannelPeer
  readonly sandbox?: ChannelPeer
  readonly publicBaseUrl?: string
  readonly webhookAllowedHosts: readonly string[]
  readonly resolve: Resolve
  readonly now: () => Date
}

/**
 * Whether a merchant could take a payment and give it back: its key as WeChat Pay sees it, its
 * certificate, the clock, its webhooks, and the address that notifications come to. Nothing is
 * changed anywhere.
 * @returns nothing when there is no such merchant
 */
export async function verifyMerchant(check: MerchantCheck): Promise<Finding[]> {
  const { db, envelope, merchantId, now, publicBaseUrl } = check
  const { webhookAllowedHosts: allowedHosts, resolve } = check
  const accounts = await accountsOf(db, merchantId)
  const stored = await storedCertificates(db, envelope, merchantId)
  const perAccount = await Promise.all(
    accounts.map(async (account) => {
      const certificate = stored.find(({ accountId }) => accountId === account.id)
      const problem = certificate && problemOfCertificate(certificate, now())
      const good = fine(
        'certificates',
        `The certificate of ${account.mchId} is its own, and good for a month at least.`,
        `商户 ${account.mchId} 的证书无误,有效期超过一个月。`,
      )
      return [await checkKey(check, account), problem ?? good]
    }),
  )
  const [first] = accounts
  if (first === undefined) return []
  const peer = peerOf(check, first) ?? check.live
  const shared = [
    checkClock(peer, now),
    checkWebhooks(db, merchantId, { allowedHosts, resolve }),
    ...(publicBaseUrl === undefined ? [] : [checkNotifyUrl(publicBaseUrl)]),
  ]
  return [...perAccount.flat(), ...(await Promise.all(shared))]
}

const peerOf = ({ live, sandbox }: MerchantCheck, account: AccountRow): ChannelPeer | undefined =>
  account.mode === 'live' ? live : sandbox

/**
 * Asks for an order that does not exist: a right key is told so, a wrong one that the signature is
 * wrong (WeChat Pay V2, orderquery).
 */
async function checkKey(check: MerchantCheck, account: AccountRow): Promise<Finding> {
  const { mchId, appIds, signType, opUserId } = account
  const peer = peerOf(check, account)
  const [apiV2Key] = await activeCredentials(check.db, check.envelope, account.id, 'v2_key')
  const [appId] = appIds
  if (peer === undefined) {
    return wrong(
      'api-key',
      `${mchId} is a sandbox account: set YUANLU_SANDBOX_URL.`,
      `${mchId} 是沙箱账号:请设置 YUANLU_SANDBOX_URL。`,
    )
  }
  if (apiV2Key === undefined || appId === undefined) {
    return wrong(
      'api-key',
      `${mchId} has no API key or no appid: \`yuanlu merchant rotate\` adds a key.`,
      `${mchId} 没有 API 密钥或 appid:请用 yuanlu merchant rotate 添加密钥。`,
    )
  }
  const outcome = await ask({ mchId, apiV2Key, signType, opUserId, ...peer }, appId)
  if (outcome.kind === 'not_exist') {
    return fine(
      'api-key',
      `WeChat Pay takes the key of ${mchId}.`,
      `微信支付认可商户 ${mchId} 的密钥。`,
    )
  }
  return refusal(mchId, peer.baseUrl, outcome)
}

interface Said {
  readonly kind: string
  readonly code?: string
  readonly message?: string
  readonly hold?: string
}

async function ask(account: WeChatAccount, appId: string): Promise<Said> {
  const channel = createWeChatChannel(account)
  const outTradeNo = `V${randomBytes(12).toString('hex')}`
  try {
    const signal = AbortSignal.timeout(QUERY_TIMEOUT_MS)
    return await channel.queryOrder({ appId, outTradeNo }, { signal, urgency: 'waiting' })
  } finally {
    await channel.close()
  }
}

const QUERY_TIMEOUT_MS = 20_000

function refusal(mchId: string, baseUrl: string, said: Said): Finding {
  const code = said.code ?? said.kind
  if (said.hold === 'credentials') {
    return wrong(
      'api-key',
      `WeChat Pay refuses the key of ${mchId} (${said.message ?? code}): set the same one in both.`,
      `微信支付不认可商户 ${mchId} 的密钥(${said.message ?? code}):请使两边一致。`,
    )
  }
  return wrong(
    'api-key',
    `${baseUrl} did not say whether it takes the key of ${mchId} (${code}): try again later.`,
    `${baseUrl} 未说明是否认可商户 ${mchId} 的密钥(${code}):请稍后再试。`,
  )
}

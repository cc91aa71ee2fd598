import { randomBytes } from 'node:crypto'
import type { Authority } from './authority.js'
import { issueMerchantCertificate } from './authority.js'
import { randomDigits, randomText } from './ids.js'
import { makeOldPkcs12 } from './pkcs12.js'
import type { Merchant } from './records.js'

/** The merchants that exist from the start. */
export const FIRST_MERCHANTS = [
  { mchId: '1900000001', appId: 'wx1900000001000001' },
  { mchId: '1900000002', appId: 'wx1900000002000001' },
] as const

export interface MerchantIds {
  readonly mchId: string
  readonly appId: string
}

/** Makes a merchant with keys and an API certificate of its own. */
export async function makeMerchant(
  ids: MerchantIds,
  authority: Authority,
  platformPublicKeyPem: string,
): Promise<Merchant> {
  const { certPem, keyPem, serialNo } = await issueMerchantCertificate(authority, ids.mchId)
  const caPem = authority.certPem
  return {
    ...ids,
    appSecret: randomBytes(16).toString('hex'),
    apiV2Key: randomText(32),
    apiV3Key: randomText(32),
    serialNo,
    certPem,
    keyPem,
    p12Base64: makeOldPkcs12({ certPem, keyPem, caPem, passphrase: ids.mchId }),
    publicKeyId: `PUB_KEY_ID_01${ids.mchId}${randomDigits(20)}`,
    publicKeyPem: platformPublicKeyPem,
  }
}

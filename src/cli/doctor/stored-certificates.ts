import { X509Certificate } from 'node:crypto'

import { activeCredentials } from '../../db/credentials.js'
import type { Envelope } from '../../db/envelope.js'
import type { Queryable } from '../../db/pool.js'
import { merchantOf } from '../../wechat/certificates.js'

/** An account with the certificate it shows, where it has one. */
export interface StoredCertificate {
  readonly accountId: string
  readonly mchId: string
  readonly certPem: string | undefined
}

const ACCOUNTS = `select id as "accountId", mch_id as "mchId" from channel_accounts
  where $1::text is null or merchant_id = $1 order by mch_id`

/** The newest certificate of every account, or of those of one merchant. */
export async function storedCertificates(
  db: Queryable,
  envelope: Envelope,
  merchantId: string | null,
): Promise<StoredCertificate[]> {
  const accounts = await db.rows<{ accountId: string; mchId: string }>({ text: ACCOUNTS }, [
    merchantId,
  ])
  return Promise.all(
    accounts.map(async ({ accountId, mchId }) => {
      const [certPem] = await activeCredentials(db, envelope, accountId, 'merchant_certificate')
      return { accountId, mchId, certPem }
    }),
  )
}

/** Whose a stored certificate is and until when it is good; undefined where there is none. */
export function certificateOf({
  certPem,
}: StoredCertificate): { readonly mchId: string; readonly notAfter: string } | undefined {
  if (certPem === undefined) return undefined
  const certificate = new X509Certificate(certPem)
  const notAfter = new Date(certificate.validTo).toISOString()
  return { mchId: merchantOf(certificate), notAfter }
}

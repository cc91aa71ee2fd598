import { insertCredential, type CredentialKind } from '../db/credentials.js'
import type { Envelope } from '../db/envelope.js'
import { accountsOf, type AccountRow } from '../db/merchants.js'
import { only, type Database, type Queryable } from '../db/pool.js'
import { inTransaction, type Transaction } from '../db/transaction.js'
import {
  importCertificate,
  type CertificateImport,
  type CertificateSource,
} from '../wechat/certificates.js'
import { InputError, type MerchantInput, type Rotation } from './merchant-input.js'

export interface Rotated {
  readonly mchId: string
  /** What became of the certificate, where one was given; it is kept only when imported. */
  readonly certificate?: CertificateImport
}

/**
 * Gives an account new secrets beside its present ones: the one before still verifies what is on
 * its way, older ones are retired. Needs the owner's role.
 * @throws InputError when there is no such account
 */
export async function rotateCredentials(
  database: Database,
  envelope: Envelope,
  merchantId: string,
  rotation: Rotation,
): Promise<Rotated> {
  const account = await accountOf(database, merchantId, rotation.mchId)
  const now = new Date()
  const { apiV2Key, certificate } = rotation
  const judged =
    certificate && importCertificate(sourceOf(certificate, account.mchId), { ...account, now })
  const result: Rotated = {
    mchId: account.mchId,
    ...(judged === undefined ? {} : { certificate: judged }),
  }
  // A certificate that is refused leaves all as it was, the key too.
  if (judged !== undefined && judged.outcome !== 'imported') return result
  await inTransaction(database, async (tx) => {
    const renew = (kind: CredentialKind, secret: string, notAfter: Date | null) =>
      addVersion(tx, envelope, { accountId: account.id, kind, secret, notAfter, now })
    if (apiV2Key !== undefined) await renew('v2_key', apiV2Key, null)
    if (judged?.outcome !== 'imported') return
    const { certPem, keyPem, notAfter } = judged.certificate
    await renew('merchant_certificate', certPem, new Date(notAfter))
    await renew('merchant_private_key', keyPem, new Date(notAfter))
  })
  return result
}

/** WeChat Pay protects the PKCS#12 file with the merchant's number. */
export function sourceOf(
  certificate: NonNullable<MerchantInput['account']['certificate']>,
  mchId: string,
): CertificateSource {
  if ('certPem' in certificate) return certificate
  return { p12: Buffer.from(certificate.p12Base64, 'base64'), password: mchId }
}

async function accountOf(
  db: Queryable,
  merchantId: string,
  mchId: string | undefined,
): Promise<AccountRow> {
  const accounts = await accountsOf(db, merchantId)
  const [account, ...others] = accounts.filter((each) => (mchId ?? each.mchId) === each.mchId)
  if (account === undefined) throw new InputError('There is no such merchant, or no such mchId.')
  if (others.length > 0) throw new InputError('The merchant has several accounts: name the mchId.')
  return account
}

const NEXT = `select coalesce(max(version), 0) + 1 as version from credential_versions
  where account_id = $1 and kind = $2`
const RETIRE = `update credential_versions set state = 'retired'
  where account_id = $1 and kind = $2 and version < $3 and state = 'active'`

async function addVersion(
  tx: Transaction,
  envelope: Envelope,
  credential: Omit<Parameters<typeof insertCredential>[2], 'version'>,
): Promise<void> {
  const { accountId, kind } = credential
  const { version } = only(await tx.rows<{ version: number }>({ text: NEXT }, [accountId, kind]))
  await insertCredential(tx, envelope, { ...credential, version })
  await tx.rows({ text: RETIRE }, [accountId, kind, version - 1])
}

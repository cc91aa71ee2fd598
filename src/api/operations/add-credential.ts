import type { Static } from 'typebox'
import type { ApiKeyRow } from '../../db/api-keys.js'
import type { CredentialKind } from '../../db/credentials.js'
import {
  addCredential as add,
  listCredentials,
  type CredentialListed,
} from '../../db/merchant-settings.js'
import { accountsOf, type AccountRow } from '../../db/merchants.js'
import { inTransaction } from '../../db/transaction.js'
import { CodedError } from '../../domain/errors.js'
import { importCertificate, type CertificateSource } from '../../wechat/certificates.js'
import type { ApiContext } from '../context.js'
import { InvalidFields } from '../field-errors.js'
import type { AddCredential } from '../schemas/merchant.js'
import { changedBy } from './merchants.js'

type Body = Static<typeof AddCredential>

interface Secret {
  readonly kind: CredentialKind
  readonly secret: string
  readonly notAfter: Date | null
  readonly serialNumber: string | null
}

/**
 * Adds the next version of an account's key or certificate beside the present one, which goes on
 * verifying what is under way.
 * @throws CodedError `not_found`, `certificate_refused`, or `credential_conflict` when somebody
 *   else added one at the same time
 */
export async function addOwnCredential(
  context: ApiContext,
  client: ApiKeyRow,
  body: Body,
): Promise<CredentialListed[]> {
  const accounts = await accountsOf(context.db, client.merchantId)
  const account = accounts.find(({ id }) => id === body.accountId)
  if (account === undefined) throw new CodedError('not_found')
  const secrets = secretsOf(body, account, context.clock.now())
  return inTransaction(context.db, async (tx) => {
    const present = await listCredentials(tx, client.merchantId)
    for (const secret of secrets) {
      const version = 1 + newestOf(present, account.id, secret.kind)
      const credential = { accountId: account.id, version, ...secret }
      // A line of the audit for each, so each has an id of its own.
      const by = changedBy(context, client, body.actingUser)
      if (!(await add(tx, context.envelope, credential, by))) {
        throw new CodedError('credential_conflict')
      }
    }
    return (await listCredentials(tx, client.merchantId)).filter(
      (listed) =>
        listed.accountId === account.id && secrets.some(({ kind }) => kind === listed.kind),
    )
  })
}

const newestOf = (listed: readonly CredentialListed[], accountId: string, kind: CredentialKind) =>
  Math.max(
    0,
    ...listed
      .filter((each) => each.accountId === accountId && each.kind === kind)
      .map(({ version }) => version),
  )

function secretsOf(body: Body, account: AccountRow, now: Date): readonly Secret[] {
  const { apiV2Key, p12Base64, certificate } = body
  if ([apiV2Key, p12Base64, certificate].filter((given) => given !== undefined).length !== 1) {
    throw new InvalidFields([{ in: 'body', field: '', detail: ONE_OF }])
  }
  if (apiV2Key !== undefined) {
    return [{ kind: 'v2_key', secret: apiV2Key, notAfter: null, serialNumber: null }]
  }
  const judged = importCertificate(sourceOf(body, account), { mchId: account.mchId, now })
  if (judged.outcome !== 'imported') {
    const { outcome: result, ...facts } = judged
    throw new CodedError('certificate_refused', { result, ...facts })
  }
  const { certPem, keyPem, serialNumber, notAfter } = judged.certificate
  const shared = { notAfter: new Date(notAfter), serialNumber }
  return [
    { kind: 'merchant_certificate', secret: certPem, ...shared },
    { kind: 'merchant_private_key', secret: keyPem, ...shared },
  ]
}

const ONE_OF = {
  en: 'must hold exactly one of apiV2Key, p12Base64 and certificate',
  zh: 'apiV2Key、p12Base64、certificate 必须且只能提供一个',
}

/** WeChat Pay protects the PKCS#12 file with the merchant's number. */
function sourceOf({ certificate, p12Base64 = '' }: Body, { mchId }: AccountRow): CertificateSource {
  return certificate ?? { p12: Buffer.from(p12Base64, 'base64'), password: mchId }
}

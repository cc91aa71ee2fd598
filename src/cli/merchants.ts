import { randomBytes } from 'node:crypto'
import { createApiKey, SCOPES, type Scope } from '../db/api-keys.js'
import { insertCredential, type CredentialKind } from '../db/credentials.js'
import type { Envelope } from '../db/envelope.js'
import { newId } from '../db/ids.js'
import { insertAccount, insertMerchant } from '../db/merchants.js'
import type { Database, Queryable } from '../db/pool.js'
import { inTransaction, sqlState, violatedConstraint } from '../db/transaction.js'
import { importCertificate, type ClientCertificate } from '../wechat/certificates.js'
import { certificateSentence } from './certificate-words.js'
import { InputError, parseMerchant, type MerchantInput } from './merchant-input.js'
import { sourceOf } from './merchant-rotate.js'

const NOTIFY_TOKEN_BYTES = 16
const UNIQUE_VIOLATION = '23505'
const FOREIGN_KEY_VIOLATION = '23503'

export interface AddedMerchant {
  readonly merchantId: string
  readonly accountId: string
  /** The unguessable part of the account's notify URLs. */
  readonly notifyToken: string
  /** What became of the certificate, where one was given. */
  readonly certificate?: Pick<ClientCertificate, 'subject' | 'serialNumber' | 'notAfter'>
}

/**
 * Adds a merchant with its channel account, and seals its secrets. Needs the owner's role.
 * @throws InputError when it exists already, or its certificate cannot be kept
 */
export async function addMerchant(
  database: Database,
  envelope: Envelope,
  value: MerchantInput,
): Promise<AddedMerchant> {
  const input = parseMerchant(value)
  const now = new Date()
  const certificate = certificateOf(input, now)
  const added: AddedMerchant = {
    merchantId: input.id,
    accountId: newId(now),
    notifyToken: randomBytes(NOTIFY_TOKEN_BYTES).toString('base64url'),
    ...(certificate === undefined ? {} : { certificate: factsOf(certificate) }),
  }
  await inTransaction(database, async (tx) => {
    const { id, name, operatorLimitFen = 0 } = input
    await insertMerchant(tx, { id, name, operatorLimitFen, now })
    await insertChannelAccount(tx, input, added, now)
    await insertSecrets(tx, envelope, added.accountId, { input, certificate, now })
  }).catch(explainDuplicate)
  return added
}

/** @throws InputError when a certificate is given that cannot be kept */
function certificateOf({ account }: MerchantInput, now: Date): ClientCertificate | undefined {
  const { certificate, mchId } = account
  if (certificate === undefined) return undefined
  const result = importCertificate(sourceOf(certificate, mchId), { mchId, now })
  if (result.outcome === 'imported') return result.certificate
  throw new InputError(certificateSentence(result, 'en'))
}

const factsOf = ({ subject, serialNumber, notAfter }: ClientCertificate) => ({
  subject,
  serialNumber,
  notAfter,
})

async function insertChannelAccount(
  tx: Queryable,
  { id: merchantId, account }: MerchantInput,
  { accountId, notifyToken }: AddedMerchant,
  now: Date,
): Promise<void> {
  const { mode, mchId, appIds, shortName } = account
  await insertAccount(tx, {
    id: accountId,
    merchantId,
    mode,
    mchId,
    signType: account.signType ?? 'MD5',
    opUserId: account.opUserId ?? mchId,
    shortName,
    notifyToken,
    timeScale: account.timeScale ?? 1,
    appIds,
    now,
  })
}

async function insertSecrets(
  tx: Queryable,
  envelope: Envelope,
  accountId: string,
  from: {
    readonly input: MerchantInput
    readonly certificate: ClientCertificate | undefined
    readonly now: Date
  },
): Promise<void> {
  const { input, certificate, now } = from
  const insert = (kind: CredentialKind, secret: string, notAfter: Date | null): Promise<void> =>
    insertCredential(tx, envelope, { accountId, kind, version: 1, secret, notAfter, now })
  await insert('v2_key', input.account.apiV2Key, null)
  if (certificate === undefined) return
  const notAfter = new Date(certificate.notAfter)
  await insert('merchant_certificate', certificate.certPem, notAfter)
  await insert('merchant_private_key', certificate.keyPem, notAfter)
}

const EXISTING: Readonly<Record<string, string>> = {
  merchants_pkey: 'A merchant of this id exists already.',
  channel_accounts_mch_id_key: 'An account of this mchId exists already.',
}

function explainDuplicate(error: unknown): never {
  const sentence = EXISTING[violatedConstraint(error) ?? '']
  if (sqlState(error) !== UNIQUE_VIOLATION || sentence === undefined) throw error
  throw new InputError(sentence)
}

export interface AddedKey {
  readonly id: string
  /** Seen this one time only: the database keeps its hash. */
  readonly key: string
}

/**
 * Makes an API key of a merchant. Needs the owner's role.
 * @throws InputError for an unknown merchant or scope, or a name that is empty or too long
 */
export async function addKey(
  db: Queryable,
  input: { readonly merchantId: string; readonly name: string; readonly scopes: readonly string[] },
): Promise<AddedKey> {
  const { merchantId, name } = input
  const scopes = input.scopes.map(scopeOf)
  if (scopes.length === 0) throw new InputError(`Name at least one scope of ${SCOPES.join(', ')}.`)
  if (name.length < 1 || name.length > 64) throw new InputError('A name has 1 to 64 characters.')
  const now = new Date()
  const id = newId(now)
  try {
    return { id, key: await createApiKey(db, { id, merchantId, name, scopes, now }) }
  } catch (error) {
    if (sqlState(error) !== FOREIGN_KEY_VIOLATION) throw error
    throw new InputError('There is no merchant of this id.')
  }
}

function scopeOf(text: string): Scope {
  const scope = SCOPES.find((known) => known === text)
  if (scope === undefined) {
    throw new InputError(`There is no such scope; take some of ${SCOPES.join(', ')}.`)
  }
  return scope
}

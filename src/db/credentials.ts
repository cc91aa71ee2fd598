import type { Envelope } from './envelope.js'
import { sql, type Queryable } from './pool.js'

export type CredentialKind = 'v2_key' | 'merchant_certificate' | 'merchant_private_key'

interface CredentialRow {
  readonly version: number
  readonly ciphertext: Buffer
}

const ACTIVE = sql(
  'credentials_active',
  `select version, ciphertext from credential_versions
   where account_id = $1 and kind = $2 and state = 'active' order by version desc`,
)
const INSERT = sql(
  'credentials_insert',
  `insert into credential_versions (account_id, kind, version, state, not_after, kek_id,
     ciphertext, created_at)
   values ($1, $2, $3, 'active', $4, $5, $6, $7)`,
)

/** What a sealed credential is bound to: a ciphertext moved to another row does not open. */
const credentialContext = (accountId: string, kind: CredentialKind, version: number): string =>
  `credential:${accountId}:${kind}:${version}`

/**
 * The active versions of a secret, newest first: two of them while a key is being replaced.
 * The database shows the API's role the verifying keys only.
 */
export async function activeCredentials(
  db: Queryable,
  envelope: Envelope,
  accountId: string,
  kind: CredentialKind,
): Promise<string[]> {
  const rows = await db.rows<CredentialRow>(ACTIVE, [accountId, kind])
  return rows.map(({ version, ciphertext }) =>
    envelope.open(ciphertext, credentialContext(accountId, kind, version)).toString('utf8'),
  )
}

/** A version of a secret, with the secret. */
export interface NewCredential {
  readonly accountId: string
  readonly kind: CredentialKind
  readonly version: number
  readonly secret: string
  readonly notAfter: Date | null
}

export const sealCredential = (
  envelope: Envelope,
  { accountId, kind, version, secret }: NewCredential,
): Buffer => envelope.seal(secret, credentialContext(accountId, kind, version))

/** Adds a version of a secret. Only the owner's role may; the API adds by `addCredential`. */
export async function insertCredential(
  db: Queryable,
  envelope: Envelope,
  credential: NewCredential & { readonly now: Date },
): Promise<void> {
  const { accountId, kind, version, notAfter, now } = credential
  const ciphertext = sealCredential(envelope, credential)
  await db.rows(INSERT, [accountId, kind, version, notAfter, envelope.kekId, ciphertext, now])
}

const FOREIGN = sql(
  'credentials_foreign',
  `select 1 from credential_versions c join channel_accounts a on a.id = c.account_id
   where a.merchant_id = $1 and c.kek_id <> $2 limit 1`,
)

/** True when a secret of the merchant was sealed with another master key than this one. */
export async function hasOtherMasterKey(
  db: Queryable,
  envelope: Envelope,
  merchantId: string,
): Promise<boolean> {
  return (await db.rows(FOREIGN, [merchantId, envelope.kekId])).length > 0
}

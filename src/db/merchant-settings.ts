import type { Envelope } from './envelope.js'
import { sealCredential, type CredentialKind, type NewCredential } from './credentials.js'
import { only, sql, type Queryable } from './pool.js'

/** What a merchant's people may change of it. */
export interface MerchantSettings {
  readonly name: string
  /** What an approval typed into Temporal may release at most. */
  readonly operatorLimitFen: number
  /** Approvals are recorded and nothing is sent. */
  readonly refundsStopped: boolean
  /** A shop of one may approve what it asked for itself. */
  readonly selfApproval: boolean
  /** What becomes of money that comes after its order was closed. */
  readonly latePayments: LatePayments
}

export const LATE_PAYMENTS = ['refund', 'revive'] as const
export type LatePayments = (typeof LATE_PAYMENTS)[number]

export interface MerchantRow extends Omit<MerchantSettings, 'refundsStopped'> {
  readonly id: string
  readonly refundsStoppedAt: Date | null
  readonly createdAt: Date
}

const BY_ID = sql(
  'merchants_by_id',
  `select id, name, engine_operator_limit_fen as "operatorLimitFen",
     refunds_stopped_at as "refundsStoppedAt", self_approval as "selfApproval",
     late_payments as "latePayments", created_at as "createdAt"
   from merchants where id = $1`,
)

/** @throws Error when there is no such merchant. */
export async function readMerchant(db: Queryable, id: string): Promise<MerchantRow> {
  return only(await db.rows<MerchantRow>(BY_ID, [id]))
}

/** Who changes something of a merchant, for the audit. */
export interface ChangedBy {
  readonly merchantId: string
  readonly keyId: string
  readonly actingUser: string
  readonly auditId: string
  readonly now: Date
}

const whoOf = (by: ChangedBy) => [by.keyId, by.actingUser, by.auditId, by.now]

const CHANGE = sql('merchants_change', 'select change_merchant($1, $2, $3, $4, $5, $6)')

/** Writes all settings with a line in the audit. */
export async function changeMerchant(
  db: Queryable,
  settings: MerchantSettings,
  by: ChangedBy,
): Promise<void> {
  await db.rows(CHANGE, [by.merchantId, JSON.stringify(settings), ...whoOf(by)])
}

/** A version of a secret, without the secret. */
export interface CredentialListed {
  readonly accountId: string
  readonly mchId: string
  readonly kind: CredentialKind
  readonly version: number
  readonly state: 'active' | 'retired'
  readonly notAfter: Date | null
  /** Of a certificate, where it was noted. */
  readonly serialNumber: string | null
  readonly createdAt: Date
}

const CREDENTIALS = sql(
  'credentials_listed',
  `select account_id as "accountId", mch_id as "mchId", kind, version, state,
     not_after as "notAfter", serial_number as "serialNumber", created_at as "createdAt"
   from credential_list($1)`,
)

export async function listCredentials(
  db: Queryable,
  merchantId: string,
): Promise<CredentialListed[]> {
  return db.rows<CredentialListed>(CREDENTIALS, [merchantId])
}

const ADD = sql(
  'credentials_add',
  'select add_credential($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) as added',
)

/**
 * Adds the next version of a secret; it and the one before are active then.
 * @returns false when the version is not the next one, or the account is another merchant's
 */
export async function addCredential(
  db: Queryable,
  envelope: Envelope,
  credential: NewCredential & { readonly serialNumber: string | null },
  by: ChangedBy,
): Promise<boolean> {
  const { accountId, kind, version, notAfter, serialNumber } = credential
  const ciphertext = sealCredential(envelope, credential)
  const { added } = only(
    await db.rows<{ added: boolean }>(ADD, [
      by.merchantId,
      accountId,
      kind,
      version,
      notAfter,
      serialNumber,
      envelope.kekId,
      ciphertext,
      ...whoOf(by),
    ]),
  )
  return added
}

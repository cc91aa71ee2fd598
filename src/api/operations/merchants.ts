import type { FastifyRequest } from 'fastify'
import type { Static } from 'typebox'
import type { ApiKeyRow } from '../../db/api-keys.js'
import { newId } from '../../db/ids.js'
import { changeMerchant, readMerchant, type ChangedBy } from '../../db/merchant-settings.js'
import { accountsOf } from '../../db/merchants.js'
import { addPolicy, currentPolicy, findPolicy, type PolicyRow } from '../../db/policies.js'
import { inTransaction } from '../../db/transaction.js'
import { policyFaults, type ApprovalPolicy, type PolicyFault } from '../../domain/approval.js'
import { CodedError } from '../../domain/errors.js'
import type { ApiContext } from '../context.js'
import { existing } from '../existing.js'
import { InvalidFields } from '../field-errors.js'
import type { Language } from '../language.js'
import { merchantView } from '../merchant-views.js'
import { clientOf } from '../plugins/auth.js'
import type { ChangeMerchant, CreatePolicy, Merchant } from '../schemas/merchant.js'

/** Every merchant sees and changes itself alone. @throws CodedError `not_found` */
export function ownClientOf(request: FastifyRequest, merchantId: string): ApiKeyRow {
  const client = clientOf(request)
  if (client.merchantId !== merchantId) throw new CodedError('not_found')
  return client
}

export const changedBy = (
  { clock }: Pick<ApiContext, 'clock'>,
  client: ApiKeyRow,
  actingUser: string,
): ChangedBy => {
  const now = clock.now()
  const { merchantId, id: keyId } = client
  return { merchantId, keyId, actingUser, auditId: newId(now), now }
}

export async function merchantOf(
  { db }: Pick<ApiContext, 'db'>,
  { merchantId }: ApiKeyRow,
): Promise<Static<typeof Merchant>> {
  const [merchant, policy, accounts] = await Promise.all([
    readMerchant(db, merchantId),
    currentPolicy(db, merchantId),
    accountsOf(db, merchantId),
  ])
  return merchantView(merchant, policy, accounts)
}

export async function changeOwnMerchant(
  context: ApiContext,
  client: ApiKeyRow,
  { actingUser, ...settings }: Static<typeof ChangeMerchant>,
): Promise<Static<typeof Merchant>> {
  await changeMerchant(context.db, settings, changedBy(context, client, actingUser))
  return merchantOf(context, client)
}

/** @throws InvalidFields for rules that do not decide everything, or never decide anything */
export async function createPolicy(
  context: ApiContext,
  client: ApiKeyRow,
  { actingUser, ...policy }: Static<typeof CreatePolicy>,
): Promise<PolicyRow> {
  refuseFaults(policy)
  return inTransaction(context.db, async (tx) => {
    const version = await addPolicy(tx, policy, changedBy(context, client, actingUser))
    return existing(await findPolicy(tx, client.merchantId, version))
  })
}

function refuseFaults(policy: ApprovalPolicy): void {
  const faults = policyFaults(policy)
  if (faults.length === 0) return
  throw new InvalidFields(faults.map((fault) => ({ in: 'body', ...FAULTS[fault] })))
}

interface FaultyField {
  readonly field: string
  readonly detail: Readonly<Record<Language, string>>
}

const FAULTS: Readonly<Record<PolicyFault, FaultyField>> = {
  rules_not_total: {
    field: 'rules',
    detail: {
      en: 'must end with a rule that fits everything',
      zh: '最后一条规则必须适用于所有情况',
    },
  },
  rule_never_reached: {
    field: 'rules',
    detail: { en: 'has rules behind one that fits everything', zh: '通用规则之后不得再有规则' },
  },
  approve_needs_amount: {
    field: 'approveUpToFen',
    detail: { en: 'is required with atDeadline approve', zh: 'atDeadline 为 approve 时必填' },
  },
  amount_without_approve: {
    field: 'approveUpToFen',
    detail: { en: 'is for atDeadline approve only', zh: '仅在 atDeadline 为 approve 时可填' },
  },
}

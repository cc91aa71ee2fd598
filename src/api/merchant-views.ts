import type { Static } from 'typebox'
import type { CredentialListed, MerchantRow } from '../db/merchant-settings.js'
import type { AccountRow } from '../db/merchants.js'
import type { PolicyRow } from '../db/policies.js'
import type { Credential, Merchant, Policy } from './schemas/merchant.js'

/** How a merchant's own things are shown to it. */

export function merchantView(
  row: MerchantRow,
  policy: PolicyRow | undefined,
  accounts: readonly AccountRow[],
): Static<typeof Merchant> {
  return {
    id: row.id,
    name: row.name,
    operatorLimitFen: row.operatorLimitFen,
    selfApproval: row.selfApproval,
    latePayments: row.latePayments,
    refundsStoppedAt: row.refundsStoppedAt?.toISOString() ?? null,
    policy: policy === undefined ? null : policyView(policy),
    accounts: accounts.map(({ id, mchId, mode, appIds }) => ({
      id,
      mchId,
      mode,
      appIds: [...appIds],
    })),
    createdAt: row.createdAt.toISOString(),
  }
}

export function policyView(row: PolicyRow): Static<typeof Policy> {
  return {
    version: row.version,
    rules: row.rules.map((rule) => ({
      upToFen: rule.upToFen ?? null,
      withinDays: rule.withinDays ?? null,
      shipped: rule.shipped ?? null,
      reasonCategories: rule.reasonCategories ? [...rule.reasonCategories] : null,
      approvals: rule.approvals,
    })),
    dayLimitFen: row.dayLimitFen,
    personDayLimitFen: row.personDayLimitFen,
    spacingSeconds: row.spacingSeconds,
    deadlineSeconds: row.deadlineSeconds,
    atDeadline: row.atDeadline,
    approveUpToFen: row.approveUpToFen,
    createdBy: row.createdBy,
    createdAt: row.createdAt.toISOString(),
  }
}

export function credentialView(row: CredentialListed): Static<typeof Credential> {
  return {
    accountId: row.accountId,
    mchId: row.mchId,
    kind: row.kind,
    version: row.version,
    state: row.state,
    serialNumber: row.serialNumber,
    notAfter: row.notAfter?.toISOString() ?? null,
    createdAt: row.createdAt.toISOString(),
  }
}

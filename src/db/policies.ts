import type { ApprovalPolicy, ApprovalRule } from '../domain/approval.js'
import { only, sql, type Queryable } from './pool.js'

export interface PolicyRow extends ApprovalPolicy {
  readonly version: number
  readonly createdBy: string
  readonly createdAt: Date
}

type Columns = Omit<PolicyRow, 'rules'> & { readonly rules: ApprovalRule[] }

const POLICIES = `select p.version, p.day_limit_fen as "dayLimitFen",
    p.person_day_limit_fen as "personDayLimitFen", p.spacing_s as "spacingSeconds",
    p.deadline_s as "deadlineSeconds", p.at_deadline as "atDeadline",
    p.approve_up_to_fen as "approveUpToFen", p.created_by as "createdBy",
    p.created_at as "createdAt", (
      select jsonb_agg(jsonb_build_object('upToFen', r.up_to_fen, 'withinDays', r.within_days,
        'shipped', r.shipped, 'reasonCategories', r.reason_categories, 'approvals', r.approvals)
        order by r.n)
      from approval_rules r where r.merchant_id = p.merchant_id and r.version = p.version
    ) as rules
  from approval_policies p where p.merchant_id = $1`

const VERSION = sql('policies_version', `${POLICIES} and p.version = $2`)
const CURRENT = sql('policies_current', `${POLICIES} order by p.version desc limit 1`)

export async function findPolicy(
  db: Queryable,
  merchantId: string,
  version: number,
): Promise<PolicyRow | undefined> {
  return (await db.rows<Columns>(VERSION, [merchantId, version]))[0]
}

/** The version that requests are held to now, or undefined where a merchant has said nothing. */
export async function currentPolicy(
  db: Queryable,
  merchantId: string,
): Promise<PolicyRow | undefined> {
  return (await db.rows<Columns>(CURRENT, [merchantId]))[0]
}

const ADD = sql('policies_add', 'select add_approval_policy($1, $2, $3, $4, $5, $6) as version')

/** Adds a version with its line in the audit; refunds asked for before keep theirs. */
export async function addPolicy(
  db: Queryable,
  policy: ApprovalPolicy,
  by: {
    readonly merchantId: string
    readonly keyId: string
    readonly actingUser: string
    readonly auditId: string
    readonly now: Date
  },
): Promise<number> {
  const { merchantId, keyId, actingUser, auditId, now } = by
  const values = [merchantId, JSON.stringify(policy), keyId, actingUser, auditId, now]
  return only(await db.rows<{ version: number }>(ADD, values)).version
}

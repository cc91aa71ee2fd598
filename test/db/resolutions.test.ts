import { describe, expect, test } from 'vitest'

import { newId } from '../../src/db/ids.js'
import type { PaymentRow } from '../../src/db/payments.js'
import type { Database } from '../../src/db/pool.js'
import type { RefundRow } from '../../src/db/refunds.js'
import { recordResolution } from '../../src/db/resolutions.js'
import { violatedConstraint } from '../../src/db/transaction.js'
import { useWorkshop } from '../support/workshop.js'

const workshop = useWorkshop()

/** What a person said of a refund, in a row that no worker has applied. */
async function said(): Promise<{ id: string; refundId: string }> {
  const { seed, clock } = workshop
  const refund = await seed.approvedRefund(await seed.paidPayment())
  const id = newId(clock.now())
  await recordResolution(seed.api, {
    id,
    refundId: refund.id,
    verb: 'retry',
    principalId: seed.approver,
    actingUser: 'manager',
    evidence: 'seen',
    now: clock.now(),
  })
  return { id, refundId: refund.id }
}

const refusalOf = async (db: Database, text: string, ...values: unknown[]): Promise<string> => {
  const failure: unknown = await db.rows({ text }, values).catch((error: unknown) => error)
  if (!(failure instanceof Error)) return 'allowed'
  return violatedConstraint(failure) ?? failure.message
}

const REFUSED = 'refunds_retry_has_proof'

/** A refund that was sent and that the channel has closed, or that waits for a person. */
async function closedRefund(
  payment: PaymentRow,
  state: 'failed' | 'needs_attention' = 'failed',
): Promise<RefundRow> {
  const { seed, clock } = workshop
  const refund = await seed.approvedRefund(payment)
  await seed.change(refund, { state: 'refunding', firstSubmittedAt: clock.now() })
  return seed.change(refund, { state })
}

describe('what people say of a stuck refund', () => {
  test('only the API records it, and only the worker says what came of it', async () => {
    const { id, refundId } = await said()
    const insert = `insert into refund_resolutions (id, refund_id, verb, principal_id, acting_user,
      evidence, stored_at) values ($1, $2, 'settle', $3, 'x', 'y', now())`
    const { api, worker, approver } = workshop.seed
    const denied = 'permission denied for table refund_resolutions'
    expect(await refusalOf(worker, insert, newId(new Date()), refundId, approver)).toBe(denied)
    const apply =
      "update refund_resolutions set applied_at = now(), outcome = 'applied' where id = $1"
    expect(await refusalOf(api, apply, id)).toBe(denied)
    expect(await refusalOf(worker, apply, id)).toBe('allowed')
  })

  test('what was said, and what came of it, never changes, not for the owner either', async () => {
    const { id } = await said()
    const { owner } = workshop.seed
    const changes = [
      "evidence = 'other'",
      "verb = 'fail'",
      "acting_user = 'somebody'",
      'stored_at = now()',
    ]
    for (const change of changes) {
      const text = `update refund_resolutions set ${change} where id = $1`
      expect(await refusalOf(owner, text, id)).toBe('refund_resolutions_immutable')
    }
    await owner.rows(
      { text: "update refund_resolutions set applied_at = now(), outcome = 'x' where id = $1" },
      [id],
    )
    const again = "update refund_resolutions set outcome = 'applied' where id = $1"
    expect(await refusalOf(owner, again, id)).toBe('refund_resolutions_immutable')
    expect(await refusalOf(owner, 'delete from refund_resolutions where id = $1', id)).not.toBe(
      'allowed',
    )
  })

  test('neither role: says of a refund whose retry it is', async () => {
    const { refundId } = await said()
    for (const db of [workshop.seed.api, workshop.seed.worker]) {
      const text = 'update refunds set retry_of = id where id = $1'
      expect(await refusalOf(db, text, refundId)).toBe('permission denied for table refunds')
    }
  })

  const SOUND = {
    of: 'closed',
    isClosed: true,
    verb: 'renew',
    outcome: 'applied',
    agoMs: 1_000,
    amountFen: 1_000,
  }

  test.each([
    ['the old one is closed, as the channel has just said', {}, 'allowed'],
    ['the old one is not closed', { isClosed: false }, REFUSED],
    ['that was said of another refund', { of: 'other' }, REFUSED],
    ['that was said for something else', { verb: 'fail' }, REFUSED],
    ['it was not proved', { outcome: 'still_owed' }, REFUSED],
    ['that was said more than a minute ago', { agoMs: 60_001 }, REFUSED],
    ['another amount is asked for', { amountFen: 999 }, REFUSED],
  ])('a new number where %s: %j is %s', async (_where, change, refusal) => {
    const { of, isClosed, verb, outcome, agoMs, amountFen } = { ...SOUND, ...change }
    const { seed, clock } = workshop
    const payment = await seed.paidPayment()
    const closed = await closedRefund(payment, isClosed ? 'failed' : 'needs_attention')
    const next = await seed.refund(payment, { amountFen })
    const id = newId(clock.now())
    await recordResolution(seed.api, {
      id,
      refundId: of === 'closed' ? closed.id : (await closedRefund(payment)).id,
      verb: verb === 'renew' ? 'renew' : 'fail',
      principalId: seed.approver,
      actingUser: 'manager',
      evidence: 'seen',
      now: clock.now(),
    })
    await seed.look(
      'update refund_resolutions set applied_at = $2, outcome = $3 where id = $1',
      id,
      new Date(clock.now().getTime() - agoMs),
      outcome,
    )
    const text = 'select mark_refund_retry($1, $2, $3, $4)'
    expect(await refusalOf(seed.api, text, next.id, closed.id, id, clock.now())).toBe(refusal)
    const [row] = await seed.look<{ old: string | null }>(
      'select retry_of as old from refunds where id = $1',
      next.id,
    )
    expect(row?.old).toBe(refusal === 'allowed' ? closed.id : null)
  })

  test('a new number: needs a proof that was applied', async () => {
    const { id, refundId } = await said()
    const text = 'select mark_refund_retry($1, $2, $3, now())'
    expect(await refusalOf(workshop.seed.api, text, newId(new Date()), refundId, id)).toBe(
      'refunds_retry_has_proof',
    )
    expect(await refusalOf(workshop.seed.worker, text, refundId, refundId, id)).toBe(
      'permission denied for function mark_refund_retry',
    )
  })
})

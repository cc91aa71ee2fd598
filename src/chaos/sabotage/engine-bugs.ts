import { request } from 'undici'

import type { ActivityDependencies } from '../../activities/dependencies.js'
import { createActivities } from '../../activities/index.js'
import { refundProgress } from '../../activities/ledger-load.js'
import { ENGINE, recordOfRefund } from '../../activities/refund-record.js'
import { withLockedRefund } from '../../activities/refund-transaction.js'
import { openChannelRequest } from '../../db/channel-requests.js'
import { markDecisionApplied } from '../../db/decisions.js'
import { Envelope } from '../../db/envelope.js'
import { findPayment } from '../../db/payments.js'
import { Database, type Statement } from '../../db/pool.js'
import { changeRefund } from '../../db/refunds.js'
import { signFields } from '../../wechat/v2/sign.js'
import { writeXml } from '../../wechat/v2/xml-writer.js'
import type { Sabotage } from './sabotage.js'
import { OPENID, type Scene } from './scene.js'

/** Bugs of the engine's own steps: activities and parts of the API that do something else. */

export const resumedWorkflowCreatesAgain: Sabotage = {
  sentence: 'a workflow that goes on from its row places the order again',
  offence: 'ordered_twice',
  processes: {
    worker: {
      activities: (dependencies) => {
        const activities = createActivities(dependencies)
        return {
          ...activities,
          async loadPayment(paymentId) {
            await placeAgain(dependencies, paymentId)
            return activities.loadPayment(paymentId)
          },
        }
      },
    },
  },
  async provoke(scene) {
    const { id, outTradeNo } = await scene.paidOrder(1_000)
    await scene.act(id, 'query')
    return `${outTradeNo}-2`
  },
}

async function placeAgain(
  { database, envelope, openAccount }: ActivityDependencies,
  paymentId: string,
): Promise<void> {
  const payment = await findPayment(database, paymentId)
  if (payment === undefined) return
  const { channel } = await openAccount(payment.accountId)
  const order = openChannelRequest(envelope, payment.id, payment.channelRequest)
  const again = { ...order, outTradeNo: `${order.outTradeNo}-2` }
  await channel.placeOrder(again, { urgency: 'background' })
}

export const approvedByRequester: Sabotage = {
  sentence: 'nobody asks who asked when a refund is approved',
  offence: 'approved_by_requester',
  processes: {
    worker: {
      activities: (dependencies) => ({
        ...createActivities(dependencies),
        decideRefund: (refundId, decisionId) => approve(dependencies, refundId, decisionId),
      }),
    },
  },
  async provoke(scene) {
    const payment = await scene.paidOrder(1_000)
    const refund = await scene.newRefund(payment, 300)
    await scene.decide(refund, 'approve', 'li.na')
    await scene.until('the approval is looked at', async () => {
      const rows = await scene.owner.rows<object>(APPLIED, [refund.id])
      return rows[0]
    })
    await scene.decide(refund, 'reject')
    return refund.outRefundNo
  },
}

const APPLIED = {
  text: 'select 1 from refund_decisions where refund_id = $1 and applied_at is not null',
}

async function approve(
  { database, clock }: ActivityDependencies,
  refundId: string,
  decisionId: string,
) {
  return withLockedRefund(database, refundId, async ({ tx, refund }) => {
    if (refund.state !== 'pending') {
      await markDecisionApplied(tx, decisionId, 'already_decided', clock.now())
      return refundProgress(refund, clock)
    }
    const now = clock.now()
    const facts = { state: 'approved', decisionId }
    await changeRefund(tx, refundId, { state: 'approved' }, now)
    await markDecisionApplied(tx, decisionId, 'applied', now)
    await recordOfRefund(tx, refund, { type: 'refund.approved', actor: ENGINE, facts, now })
    return refundProgress({ ...refund, state: 'approved' }, clock)
  })
}

export const decisionDropped: Sabotage = {
  sentence: 'a decision that reaches its workflow is forgotten there',
  offence: 'decision_unapplied',
  processes: {
    worker: {
      activities: (dependencies) => {
        const activities = createActivities(dependencies)
        return { ...activities, decideRefund: (refundId) => activities.loadRefund(refundId) }
      },
    },
  },
  async provoke(scene) {
    const payment = await scene.paidOrder(1_000)
    const refund = await scene.newRefund(payment, 300)
    await scene.decide(refund, 'approve')
    return refund.outRefundNo
  },
}

/** The key of an example in a manual: what is signed with it proves nothing. */
const EXAMPLE_KEY = '192006250b4c09247ec02edce69f6a2d'
const EXAMPLE_VERSION = 0

class DatabaseWithExample extends Database {
  override async rows<Row>(statement: Statement, values: readonly unknown[]): Promise<Row[]> {
    const rows = await super.rows<Row>(statement, values)
    const example = { version: EXAMPLE_VERSION, ciphertext: Buffer.alloc(0) } as Row
    return statement.name === 'credentials_active' ? [...rows, example] : rows
  }
}

class EnvelopeWithExample extends Envelope {
  override open(sealed: Buffer, context: string): Buffer {
    const isExample = context.endsWith(`:v2_key:${EXAMPLE_VERSION}`)
    return isExample ? Buffer.from(EXAMPLE_KEY) : super.open(sealed, context)
  }
}

export const forgedNotificationAccepted: Sabotage = {
  sentence: "a key from a manual verifies notifications beside the account's own",
  offence: 'paid_without_channel',
  processes: {
    api: {
      database: (options) => new DatabaseWithExample(options),
      envelope: (masterKey) => new EnvelopeWithExample(masterKey),
    },
  },
  async provoke(scene) {
    const { id, outTradeNo, amountFen } = await scene.order(1_000)
    await forge(scene, outTradeNo, amountFen)
    await scene.act(id, 'close')
    return outTradeNo
  },
}

async function forge(scene: Scene, outTradeNo: string, amountFen: number): Promise<void> {
  const { appId, mchId } = scene.merchant
  const fields = new Map([
    ['return_code', 'SUCCESS'],
    ['result_code', 'SUCCESS'],
    ['appid', appId],
    ['mch_id', mchId],
    ['nonce_str', '5d2b6c2a8db53831f7eda20af46e531c'],
    ['openid', OPENID],
    ['is_subscribe', 'N'],
    ['trade_type', 'JSAPI'],
    ['bank_type', 'OTHERS'],
    ['fee_type', 'CNY'],
    ['total_fee', String(amountFen)],
    ['cash_fee', String(amountFen)],
    ['transaction_id', `42009999${Date.now()}`],
    ['out_trade_no', outTradeNo],
    ['time_end', '20261123120000'],
  ])
  fields.set('sign', signFields(fields, EXAMPLE_KEY, 'MD5'))
  const url = await scene.notifyUrl('payment')
  const reply = await request(url, { method: 'POST', body: writeXml(fields) })
  await reply.body.dump()
}

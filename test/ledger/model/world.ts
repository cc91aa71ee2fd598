import { hash, randomBytes } from 'node:crypto'

import { ApplicationFailure } from '@temporalio/common'

import type { Clock } from '../../../src/activities/dependencies.js'
import { createActivities, type Activities } from '../../../src/activities/index.js'
import type {
  PaymentProgress,
  RefundAsked,
  RefundProgress,
} from '../../../src/activities/progress.js'
import { createApiKey, SCOPES } from '../../../src/db/api-keys.js'
import { bookExternalRefund } from '../../../src/db/external-refunds.js'
import { sealChannelRequest } from '../../../src/db/channel-requests.js'
import { recordDecision } from '../../../src/db/decisions.js'
import { Envelope } from '../../../src/db/envelope.js'
import { claimIdempotencyKey } from '../../../src/db/idempotency.js'
import { newId, newOutRefundNo, newOutTradeNo } from '../../../src/db/ids.js'
import { storeFact, type NewFact } from '../../../src/db/inbox.js'
import {
  findAccount,
  insertAccount,
  insertMerchant,
  type AccountRow,
} from '../../../src/db/merchants.js'
import { findPayment, insertPayment } from '../../../src/db/payments.js'
import { Database } from '../../../src/db/pool.js'
import { requestRefund } from '../../../src/db/refunds.js'
import { inTransaction, violatedConstraint } from '../../../src/db/transaction.js'
import type { Channel, PaidFact, RefundFact } from '../../../src/domain/channel.js'
import { fen } from '../../../src/domain/money.js'
import { paymentFactKey } from '../../../src/domain/payment.js'
import { refundFactKey } from '../../../src/domain/refund.js'
import type { DatabaseUrls } from '../../support/database-template.js'
import { runActivity } from '../../support/run-activity.js'
import type { Answer, Paid, QueryAnswer, Who } from './book.js'
import { placed, refundFactOf, SILENT, submitted } from './channel.js'
import { LateClock, SteppingClock } from './clock.js'
import type { Command, Of } from './commands.js'
import { amountsOf } from './payments.js'

const CONNECTIONS_PER_ROLE = 4
const APP_ID = 'wx0000000000000001'
export const OPERATOR_LIMIT_FEN = 300

interface RealPayment {
  readonly id: string
  readonly outTradeNo: string
  readonly totalFen: number
}
interface RealRefund {
  readonly id: string
  readonly outRefundNo: string
  readonly amountFen: number
}

/** The real thing: a merchant in a real database, used by the roles of API and worker. */
export class World {
  readonly owner: Database
  readonly clock = new SteppingClock()
  readonly payments = new Map<string, RealPayment>()
  /** By what the model calls them. */
  readonly refunds = new Map<string, RealRefund>()
  #account: AccountRow | undefined
  #keys: Readonly<Record<Who, string>> | undefined
  readonly #api: Database
  readonly #worker: Database
  readonly #envelope = new Envelope(randomBytes(32))
  readonly #late = new LateClock()

  constructor(urls: DatabaseUrls) {
    const open = (url: string, connectionsMax: number) =>
      new Database({ url, connectionsMax, applicationName: 'model' })
    this.owner = open(urls.ownerUrl, 2)
    this.#api = open(urls.apiUrl, CONNECTIONS_PER_ROLE)
    this.#worker = open(urls.workerUrl, CONNECTIONS_PER_ROLE)
  }

  get account(): AccountRow {
    if (this.#account === undefined) throw new Error('No merchant was opened.')
    return this.#account
  }

  /** Begins anew with a merchant that has nothing. */
  async openMerchant(): Promise<void> {
    this.payments.clear()
    this.refunds.clear()
    this.clock.startAgain()
    const now = this.clock.now()
    const id = newId(now)
    const merchantId = `m${randomBytes(8).toString('hex')}`
    const mchId = randomBytes(8).toString('hex')
    const merchant = { id: merchantId, name: 'model', operatorLimitFen: OPERATOR_LIMIT_FEN, now }
    await insertMerchant(this.owner, merchant)
    await insertAccount(this.owner, {
      id,
      merchantId,
      mode: 'live',
      mchId,
      signType: 'MD5',
      opUserId: mchId,
      shortName: 'Model',
      notifyToken: randomBytes(16).toString('hex'),
      timeScale: 1,
      appIds: [APP_ID],
      now,
    })
    this.#account = await findAccount(this.owner, id)
    const [asker, approver] = [newId(now), newId(now)]
    for (const keyId of [asker, approver]) {
      await createApiKey(this.owner, { id: keyId, merchantId, name: 'k', scopes: SCOPES, now })
    }
    this.#keys = { asker, approver, 'asker by another key': approver }
  }

  async close(): Promise<void> {
    await Promise.all([this.owner.close(), this.#api.close(), this.#worker.close()])
  }

  /** Does a command and says what it answered. @throws what nobody would expect of it */
  async run(command: Command): Promise<Answer> {
    const does: { [Kind in Command['kind']]: (of: Of<Kind>) => Promise<Answer> } = {
      create: (of) => this.#create(of),
      place: ({ paymentId, answer }) =>
        this.#activity({ placeOrder: placed(answer) }, 'placePayment', paymentId),
      'notify payment': ({ paymentId, what }) => this.#notifyPayment(paymentId, what),
      'expire payment': ({ paymentId, answer }) => {
        const said =
          answer === 'exact' ? this.paidFact(paymentId, 'exact') : ({ kind: 'closed' } as const)
        return this.#activity({ queryOrder: async () => said }, 'queryThenClose', paymentId)
      },
      'settle payment': ({ paymentId }) => this.#activity({}, 'settlePayment', paymentId),
      'decide held': (of) => this.#decideHeld(of),
      request: (of) => this.#request(of),
      decide: (of) => this.#decide(of),
      'approve in Temporal': ({ refundId }) => this.#approveInTemporal(refundId),
      'expire refund': ({ refundId }) => this.#expireRefund(refundId),
      send: ({ refundId, submit, query }) =>
        this.#activity(
          {
            submitRefund: async () => submitted(submit, this.#refund(refundId)),
            queryRefund: async () => this.refundFact(refundId, query),
          },
          'refundAtChannel',
          this.#id(refundId),
        ),
      'notify refund': ({ refundId, what }) => this.#notifyRefund(refundId, what),
      confirm: ({ refundId, query }) =>
        this.#activity(
          { queryRefund: async () => this.refundFact(refundId, query) },
          'confirmRefund',
          this.#id(refundId),
        ),
      'settle refund': ({ refundId }) => this.#activity({}, 'settleRefund', this.#id(refundId)),
      portal: (of) => this.#portal(of),
    }
    return (does[command.kind] as (of: Command) => Promise<Answer>)(command)
  }

  async #create({ id, orderRef, totalFen }: Of<'create'>): Promise<Answer> {
    const { id: accountId, merchantId, mchId } = this.account
    const now = this.clock.now()
    const outTradeNo = newOutTradeNo(now)
    const request = {
      appId: APP_ID,
      outTradeNo,
      body: 'Tea',
      totalFen: fen(totalFen),
      payerIp: '203.0.113.7',
      openid: 'nobody',
      notifyUrl: 'https://pay.example.com/notify',
    }
    const payment = {
      id,
      merchantId,
      accountId,
      mchId,
      appId: APP_ID,
      outTradeNo,
      orderRef,
      totalFen,
    }
    const channelRequest = sealChannelRequest(this.#envelope, id, request)
    const rest = { description: 'Tea', channelRequest, payerRef: null, expiresAt: now, now }
    try {
      await inTransaction(this.#api, (tx) => insertPayment(tx, { ...payment, ...rest }))
    } catch (error) {
      const constraint = violatedConstraint(error)
      if (constraint === undefined) throw error
      return constraint
    }
    this.payments.set(id, { id, outTradeNo, totalFen })
    return 'created'
  }

  paidFact(paymentId: string, what: Paid): PaidFact {
    const { outTradeNo, totalFen } = this.#payment(paymentId)
    const { paidFen, settlementFen, transaction } = amountsOf(what, totalFen)
    return {
      kind: 'paid',
      appId: what === 'foreign' ? 'wx-of-somebody' : APP_ID,
      mchId: this.account.mchId,
      outTradeNo,
      transactionId: `${transaction}-${outTradeNo}`,
      currency: what === 'dollars' ? 'USD' : 'CNY',
      totalFen: fen(paidFen),
      cashFen: fen(settlementFen),
      settlementFen: fen(settlementFen),
      paidAt: '2026-03-01T02:00:00.000Z',
    }
  }

  refundFact(refundId: string, what: QueryAnswer): RefundFact {
    return refundFactOf(this.#refund(refundId), what)
  }

  async #notifyPayment(paymentId: string, what: Paid): Promise<Answer> {
    const fact = this.paidFact(paymentId, what)
    await this.#store({
      kind: 'payment',
      businessKey: paymentFactKey(fact.outTradeNo, fact),
      subjectId: paymentId,
      verifiedBy: 'signature',
      fact,
    })
    return 'returned'
  }

  /** What the API does: only held money can be decided about. */
  async #decideHeld({ paymentId, word }: Of<'decide held'>): Promise<Answer> {
    const payment = await findPayment(this.#api, paymentId)
    if (payment?.disposition !== 'held') return 'not held'
    const person = { principalId: this.#key().approver, actingUser: 'Bob', reason: 'x' }
    const fact = { kind: 'resolve', as: word, ...person } as const
    await this.#store({
      kind: 'payment',
      businessKey: paymentFactKey(this.#payment(paymentId).outTradeNo, fact),
      subjectId: paymentId,
      source: 'manual',
      verifiedBy: 'api_key',
      fact,
    })
    return 'returned'
  }

  async #notifyRefund(refundId: string, what: QueryAnswer): Promise<Answer> {
    const fact = this.refundFact(refundId, what)
    await this.#store({
      kind: 'refund',
      businessKey: refundFactKey(fact.outRefundNo, fact.status, 'notify'),
      subjectId: this.#id(refundId),
      verifiedBy: 'decryption',
      fact,
    })
    return 'returned'
  }

  async #store(
    fact: Omit<NewFact, 'id' | 'accountId' | 'source' | 'now'> & Partial<Pick<NewFact, 'source'>>,
  ): Promise<void> {
    const now = this.clock.now()
    const of = { id: newId(now), accountId: this.account.id, now }
    await storeFact(this.#api, { source: 'notify', ...fact, ...of })
  }

  /** Claims the key and asks in one transaction, as the API does. */
  async #request({ id, paymentId, amountFen, key }: Of<'request'>): Promise<Answer> {
    const now = this.clock.now()
    const { merchantId } = this.account
    const { asker: requestedBy } = this.#key()
    const outRefundNo = newOutRefundNo(now)
    const ids = { id, merchantId, paymentId, outRefundNo, amountFen, requestedBy }
    const requestHash = Buffer.from(`${paymentId} ${amountFen}`)
    const refusal = { text: '' }
    const answer = inTransaction(this.#api, async (tx) => {
      const route = 'POST /v1/refunds'
      const of = { merchantId, clientId: requestedBy, route, key }
      const claim = await claimIdempotencyKey(tx, { ...of, requestHash, objectId: id, now })
      if (claim.kind === 'known') return `known ${claim.objectId}`
      if (claim.kind === 'conflict') return 'conflict'
      const { outcome, leftFen } = await requestRefund(tx, {
        ...ids,
        reason: 'x',
        requestedFor: 'Alice',
        expiresAt: now,
        eventId: newId(now),
        auditId: newId(now),
        now,
      })
      if (outcome === 'requested') return `requested ${leftFen}`
      refusal.text = `${outcome} ${leftFen}`
      throw new Error('A refused request leaves its key unused.')
    })
    const said = await answer.catch((error: unknown) => {
      if (refusal.text === '') throw error
      return refusal.text
    })
    if (said.startsWith('requested')) this.refunds.set(id, { id, outRefundNo, amountFen })
    return said
  }

  async #decide({ refundId, verb, who }: Of<'decide'>): Promise<Answer> {
    const now = this.clock.now()
    const decision = await recordDecision(this.#api, {
      id: newId(now),
      refundId: this.#id(refundId),
      verb,
      principalId: this.#key()[who],
      actingUser: { asker: 'Alice', approver: 'Bob', 'asker by another key': ' ALICE' }[who],
      reason: 'x',
      now,
    })
    const { decideRefund } = this.#activities({})
    return (await decideRefund(this.#id(refundId), decision.id)).state
  }

  async #approveInTemporal(refundId: string): Promise<Answer> {
    const { approveByOperator } = this.#activities({})
    const approval = { decisionId: newId(this.clock.now()), reason: 'x', runId: 'run' }
    return (await approveByOperator(this.#id(refundId), approval)).state
  }

  /** Takes the next step of a deadline, whichever that is; nothing else grows older by that. */
  async #expireRefund(refundId: string): Promise<Answer> {
    const { expireRefund } = this.#activities({}, this.#late)
    return (await expireRefund(this.#id(refundId))).state
  }

  /** A question has shown a refund that somebody made in the channel's portal. */
  async #portal({ id, paymentId, amountFen, what }: Of<'portal'>): Promise<Answer> {
    const fact = refundFactOf({ outRefundNo: id, amountFen }, what)
    const refundId = hash('md5', id)
    const answer = await inTransaction(this.#worker, (tx) =>
      bookExternalRefund(tx, { paymentId, fact: { ...fact, refundId }, now: this.clock.now() }),
    )
    if (answer.outcome === 'known') return `booked before, ${answer.state}`
    if (answer.outcome !== 'booked') return answer.outcome
    return answer.caseId === null ? `booked ${answer.state}` : `booked ${answer.state}, too much`
  }

  #activities(channel: Partial<Channel>, clock: Clock = this.clock): Activities {
    return createActivities({
      database: this.#worker,
      envelope: this.#envelope,
      clock,
      notifyBaseUrl: 'https://pay.example.com',
      openAccount: async () => ({ account: this.account, channel: { ...SILENT, ...channel } }),
    })
  }

  async #activity(
    channel: Partial<Channel>,
    name: Exclude<
      keyof Activities,
      'decideRefund' | 'approveByOperator' | 'askPayment' | 'adoptPayment' | 'resolveRefund'
    >,
    id: string,
  ): Promise<Answer> {
    try {
      const activity: (
        id: string,
      ) => Promise<PaymentProgress | RefundProgress | RefundAsked | void> =
        this.#activities(channel)[name]
      const progress = await runActivity(activity, [id])
      if (typeof progress === 'string') return progress
      if (!progress || name === 'placePayment') return 'returned'
      return `${progress.state} ${'cause' in progress ? progress.cause : progress.attention}`
    } catch (error) {
      // Failing is how an activity says when it wants to go on.
      if (error instanceof ApplicationFailure) return error.type ?? ''
      throw error
    }
  }

  #payment(id: string): RealPayment {
    return known(this.payments, id)
  }

  #refund(name: string): RealRefund {
    return known(this.refunds, name)
  }

  #id(name: string): string {
    return this.#refund(name).id
  }

  #key(): Readonly<Record<Who, string>> {
    if (this.#keys === undefined) throw new Error('No merchant was opened.')
    return this.#keys
  }
}

function known<T>(things: ReadonlyMap<string, T>, id: string): T {
  const thing = things.get(id)
  if (thing === undefined) throw new Error(`There is no ${id}.`)
  return thing
}

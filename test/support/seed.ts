import { randomBytes } from 'node:crypto'

import { createSettlePayment } from '../../src/activities/ledger-settle-payment.js'
import { createApiKey } from '../../src/db/api-keys.js'
import { sealChannelRequest } from '../../src/db/channel-requests.js'
import { recordDecision } from '../../src/db/decisions.js'
import { Envelope } from '../../src/db/envelope.js'
import { newId, newOutRefundNo, newOutTradeNo } from '../../src/db/ids.js'
import { storeFact } from '../../src/db/inbox.js'
import {
  findAccount,
  insertAccount,
  insertMerchant,
  type AccountRow,
} from '../../src/db/merchants.js'
import { payerRef } from '../../src/db/payers.js'
import { findPayment, insertPayment, type PaymentRow } from '../../src/db/payments.js'
import { addPolicy } from '../../src/db/policies.js'
import { Database } from '../../src/db/pool.js'
import {
  changeRefund,
  findRefund,
  requestRefund,
  type RefundChange,
  type RefundRow,
} from '../../src/db/refunds.js'
import { inTransaction } from '../../src/db/transaction.js'
import { DEFAULT_POLICY, type ApprovalPolicy } from '../../src/domain/approval.js'
import type { PaidFact, RefundFact, RefundStatus } from '../../src/domain/channel.js'
import { fen } from '../../src/domain/money.js'
import { paymentFactKey, type PaymentFact } from '../../src/domain/payment.js'
import { refundFactKey, type DecisionVerb, type ReasonCategory } from '../../src/domain/refund.js'
import type { DatabaseUrls } from './database-template.js'

const HOUR_MS = 3_600_000
const CONNECTIONS_MAX = 4
const APP_ID = 'wx0000000000000001'
/** Who pays every order of a seed. */
export const SEED_OPENID = 'openid-of-nobody'

/** Business time that stands still unless a test moves it. */
export class TestClock {
  #nowMs: number

  constructor(start: string) {
    this.#nowMs = Date.parse(start)
  }

  now(): Date {
    return new Date(this.#nowMs)
  }

  advance(ms: number): void {
    this.#nowMs += ms
  }
}

export interface SeedOptions {
  readonly operatorLimitFen?: number
  readonly timeScale?: number
  readonly clock?: { now(): Date }
  /** Random unless a process of its own has to be told the same. */
  readonly masterKey?: Buffer
}

interface Parties {
  readonly owner: Database
  readonly api: Database
  readonly worker: Database
  readonly envelope: Envelope
  readonly clock: { now(): Date }
  readonly account: AccountRow
  /** The API key that asks for refunds. */
  readonly asker: string
  /** The API key that decides about them. */
  readonly approver: string
}

/** One merchant with one channel account and two API keys, and the rows a test wants. */
export class Seed {
  readonly owner: Database
  readonly api: Database
  readonly worker: Database
  readonly envelope: Envelope
  readonly clock: { now(): Date }
  readonly account: AccountRow
  readonly asker: string
  readonly approver: string

  private constructor(parties: Parties) {
    this.owner = parties.owner
    this.api = parties.api
    this.worker = parties.worker
    this.envelope = parties.envelope
    this.clock = parties.clock
    this.account = parties.account
    this.asker = parties.asker
    this.approver = parties.approver
  }

  static async create(urls: DatabaseUrls, options: SeedOptions = {}): Promise<Seed> {
    const open = (url: string) =>
      new Database({ url, connectionsMax: CONNECTIONS_MAX, applicationName: 'test' })
    const clock = options.clock ?? { now: () => new Date() }
    const owner = open(urls.ownerUrl)
    const account = await insertParties(owner, clock.now(), options)
    const addKey = async (name: string): Promise<string> => {
      const id = newId(clock.now())
      const scopes = ['refunds:request', 'refunds:decide'] as const
      await createApiKey(owner, {
        id,
        merchantId: account.merchantId,
        name,
        scopes,
        now: clock.now(),
      })
      return id
    }
    return new Seed({
      owner,
      api: open(urls.apiUrl),
      worker: open(urls.workerUrl),
      envelope: new Envelope(options.masterKey ?? randomBytes(32)),
      clock,
      account,
      asker: await addKey('asks'),
      approver: await addKey('approves'),
    })
  }

  async close(): Promise<void> {
    await Promise.all([this.owner.close(), this.api.close(), this.worker.close()])
  }

  /** Writes a new payment as the API does. */
  async payment(
    options: { totalFen?: number; orderRef?: string; expiresInMs?: number } = {},
  ): Promise<PaymentRow> {
    const { totalFen = 10_000, orderRef = null, expiresInMs = HOUR_MS / 2 } = options
    const now = this.clock.now()
    const id = newId(now)
    const outTradeNo = newOutTradeNo(now)
    const request = {
      appId: APP_ID,
      outTradeNo,
      body: 'Shop-Tea',
      totalFen: fen(totalFen),
      payerIp: '203.0.113.7',
      openid: SEED_OPENID,
      notifyUrl: `https://pay.example.com/notify/${this.account.notifyToken}/payment`,
    }
    await inTransaction(this.api, (tx) =>
      insertPayment(tx, {
        id,
        merchantId: this.account.merchantId,
        accountId: this.account.id,
        mchId: this.account.mchId,
        appId: APP_ID,
        outTradeNo,
        orderRef,
        description: 'Tea',
        totalFen,
        channelRequest: sealChannelRequest(this.envelope, id, request),
        payerRef: payerRef(this.envelope, this.account.merchantId, SEED_OPENID),
        expiresAt: new Date(now.getTime() + expiresInMs),
        now,
      }),
    )
    return this.readPayment(id)
  }

  /** Writes a payment and settles a matching fact about it. */
  async paidPayment(options: { totalFen?: number; orderRef?: string } = {}): Promise<PaymentRow> {
    const payment = await this.payment(options)
    await this.paymentFact(payment, paidFact(payment))
    await createSettlePayment({
      database: this.worker,
      clock: this.clock,
      envelope: this.envelope,
      notifyBaseUrl: 'https://pay.example.com',
      openAccount: () => Promise.reject(new Error('Settling asks no channel.')),
    })(payment.id)
    return this.readPayment(payment.id)
  }

  /** Stores a fact about a payment as a verified notification does, and answers its row's id. */
  async paymentFact(payment: PaymentRow, fact: PaymentFact): Promise<string> {
    const stored = await storeFact(this.api, {
      id: newId(this.clock.now()),
      accountId: payment.accountId,
      kind: 'payment',
      businessKey: paymentFactKey(payment.outTradeNo, fact),
      subjectId: payment.id,
      source: 'notify',
      verifiedBy: 'signature',
      fact,
      now: this.clock.now(),
    })
    return stored.id
  }

  /** Asks for a refund as the API does. */
  async refund(
    payment: PaymentRow,
    options: {
      amountFen?: number
      expiresInMs?: number
      reasonCategory?: ReasonCategory
      shipped?: boolean | null
    } = {},
  ): Promise<RefundRow> {
    const { amountFen = 1_000, expiresInMs = 24 * HOUR_MS, reasonCategory, shipped } = options
    const now = this.clock.now()
    const id = newId(now)
    const { outcome } = await inTransaction(this.api, (tx) =>
      requestRefund(tx, {
        id,
        merchantId: payment.merchantId,
        paymentId: payment.id,
        outRefundNo: newOutRefundNo(now),
        amountFen,
        reason: 'The parcel was lost.',
        requestedBy: this.asker,
        requestedFor: 'clerk',
        reasonCategory,
        shipped,
        expiresAt: new Date(now.getTime() + expiresInMs),
        eventId: newId(now),
        auditId: newId(now),
        now,
      }),
    )
    if (outcome !== 'requested') throw new Error(`The refund was not asked for: ${outcome}.`)
    return this.readRefund(id)
  }

  /** Asks for a refund and has it approved by the other key, without a workflow. */
  async approvedRefund(payment: PaymentRow, amountFen = 1_000): Promise<RefundRow> {
    const refund = await this.refund(payment, { amountFen })
    return this.change(refund, { state: 'approved' })
  }

  /** Writes columns of a refund as the worker's role may. */
  async change(refund: RefundRow, change: RefundChange): Promise<RefundRow> {
    await inTransaction(this.worker, (tx) => changeRefund(tx, refund.id, change, this.clock.now()))
    return this.readRefund(refund.id)
  }

  /** Records a decision as the API does, by the approving key unless told otherwise. */
  async decision(
    refund: RefundRow,
    verb: DecisionVerb,
    by: { principalId?: string; actingUser?: string; selfApproval?: boolean } = {},
  ): Promise<string> {
    const { principalId = this.approver, actingUser = 'manager', selfApproval } = by
    const decision = await recordDecision(this.api, {
      id: newId(this.clock.now()),
      refundId: refund.id,
      verb,
      principalId,
      actingUser,
      reason: 'seen the parcel',
      selfApproval,
      now: this.clock.now(),
    })
    return decision.id
  }

  /** Gives the merchant another version of its policy. */
  async policy(policy: Partial<ApprovalPolicy>): Promise<number> {
    const now = this.clock.now()
    return addPolicy(
      this.api,
      { ...DEFAULT_POLICY, ...policy },
      {
        merchantId: this.account.merchantId,
        keyId: this.approver,
        actingUser: 'manager',
        auditId: newId(now),
        now,
      },
    )
  }

  /** Stores a refund notification as the API does: decrypted, and no more than a hint. */
  async refundNotice(refund: RefundRow, fact: RefundFact): Promise<string> {
    const stored = await storeFact(this.api, {
      id: newId(this.clock.now()),
      accountId: refund.accountId,
      kind: 'refund',
      businessKey: refundFactKey(refund.outRefundNo, fact.status, 'notify'),
      subjectId: refund.id,
      source: 'notify',
      verifiedBy: 'decryption',
      fact,
      now: this.clock.now(),
    })
    return stored.id
  }

  async readPayment(id: string): Promise<PaymentRow> {
    return found(await findPayment(this.api, id))
  }

  async readRefund(id: string): Promise<RefundRow> {
    return found(await findRefund(this.api, id))
  }

  /** Runs a statement as the owner, for what a test looks at. */
  async look<Row>(text: string, ...values: unknown[]): Promise<Row[]> {
    return this.owner.rows<Row>({ text }, values)
  }
}

async function insertParties(
  owner: Database,
  now: Date,
  { operatorLimitFen = 0, timeScale = 1 }: SeedOptions,
): Promise<AccountRow> {
  const id = newId(now)
  await insertMerchant(owner, { id: 'teahouse', name: 'Tea House', operatorLimitFen, now })
  await insertAccount(owner, {
    id,
    merchantId: 'teahouse',
    mode: 'sandbox',
    mchId: '1900000001',
    signType: 'MD5',
    opUserId: '1900000001',
    shortName: 'Tea',
    notifyToken: randomBytes(16).toString('base64url'),
    timeScale,
    appIds: [APP_ID],
    now,
  })
  return found(await findAccount(owner, id))
}

/** What the channel says when exactly what was ordered was paid. */
export function paidFact(payment: PaymentRow, changes: Partial<PaidFact> = {}): PaidFact {
  return {
    kind: 'paid',
    appId: payment.appId,
    mchId: payment.mchId,
    outTradeNo: payment.outTradeNo,
    transactionId: `42000${payment.outTradeNo.slice(1)}`,
    currency: 'CNY',
    totalFen: fen(payment.totalFen),
    cashFen: fen(payment.totalFen),
    settlementFen: fen(payment.totalFen),
    paidAt: '2026-03-01T10:00:05.000Z',
    ...changes,
  }
}

/** What a query says of a refund. */
export function refundFact(
  refund: RefundRow,
  status: RefundStatus,
  changes: Partial<RefundFact> = {},
): RefundFact {
  return {
    kind: 'refund',
    status,
    outTradeNo: 'not-compared',
    outRefundNo: refund.outRefundNo,
    refundId: `50000${refund.outRefundNo.slice(1)}`,
    refundFen: fen(refund.amountFen),
    settlementFen: fen(refund.amountFen),
    ...changes,
  }
}

function found<Row>(row: Row | undefined): Row {
  if (row === undefined) throw new Error('The row is not there.')
  return row
}

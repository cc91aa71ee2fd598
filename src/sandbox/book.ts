import type { Journal, JournalLine } from './journal.js'
import type { LoggedCall, Merchant, Notification, Order, Refund } from './records.js'

/** What the lines of journals lack that were written before coupons, cards and the portal. */
const ORDER_BEFORE = { coupons: [], isCardFrozen: false }
const REFUND_BEFORE = { coupons: [], source: 'API' } as const

/** Calls kept for reading back; older ones are forgotten. */
const LOG_LENGTH_MAX = 100_000

/**
 * Everything the sandbox knows. Records are replaced, never changed, and each replacement is
 * a line in the journal, so that reading the journal again gives the same book.
 */
export class Book {
  readonly merchants = new Map<string, Merchant>()
  readonly notifications = new Map<string, Notification>()
  readonly #orders = new Map<string, Order>()
  readonly #orderKeyByTransactionId = new Map<string, string>()
  readonly #orderKeyByPrepayId = new Map<string, string>()
  readonly #refunds = new Map<string, Refund>()
  readonly #refundKeyById = new Map<string, string>()
  readonly #refundKeysOfOrder = new Map<string, Set<string>>()
  readonly #balances = new Map<string, number | null>()
  readonly #appIdByOpenid = new Map<string, string>()
  readonly #refundNotifyUrls = new Map<string, string>()
  #calls: LoggedCall[] = []
  #journal: Journal

  constructor(journal: Journal) {
    this.#journal = journal
  }

  /** From now on changes are written here. */
  writeTo(journal: Journal): void {
    this.#journal = journal
  }

  putMerchant(merchant: Merchant): void {
    this.merchants.set(merchant.mchId, merchant)
    this.#journal.append('merchant', merchant)
  }

  putOrder(order: Order): void {
    const key = keyOf(order.mchId, order.outTradeNo)
    this.#orders.set(key, order)
    this.#orderKeyByPrepayId.set(order.prepayId, key)
    if (!this.#appIdByOpenid.has(order.openid)) this.#appIdByOpenid.set(order.openid, order.appId)
    if (order.transactionId !== null) this.#orderKeyByTransactionId.set(order.transactionId, key)
    this.#journal.append('order', order)
  }

  putRefund(refund: Refund): void {
    const key = keyOf(refund.mchId, refund.outRefundNo)
    const orderKey = keyOf(refund.mchId, refund.outTradeNo)
    this.#refunds.set(key, refund)
    this.#refundKeyById.set(refund.refundId, key)
    if (refund.notifyUrl !== '') this.#refundNotifyUrls.set(refund.mchId, refund.notifyUrl)
    const keysOfOrder = this.#refundKeysOfOrder.get(orderKey) ?? new Set()
    this.#refundKeysOfOrder.set(orderKey, keysOfOrder.add(key))
    this.#journal.append('refund', refund)
  }

  putNotification(notification: Notification): void {
    this.notifications.set(notification.id, notification)
    this.#journal.append('notification', notification)
  }

  /** Null sets no limit to what the merchant can refund, until an amount is set again. */
  setBalance(mchId: string, balanceFen: number | null): void {
    this.#balances.set(mchId, balanceFen)
    this.#journal.append('balance', { mchId, balanceFen })
  }

  addToBalance(mchId: string, changeFen: number): void {
    const balanceFen = this.balanceFen(mchId)
    if (balanceFen !== null) this.setBalance(mchId, balanceFen + changeFen)
  }

  addCall(call: LoggedCall): void {
    this.#calls.push(call)
    if (this.#calls.length >= 2 * LOG_LENGTH_MAX) this.#calls = this.#calls.slice(-LOG_LENGTH_MAX)
    this.#journal.append('call', call)
  }

  order(mchId: string, outTradeNo: string): Order | undefined {
    return this.#orders.get(keyOf(mchId, outTradeNo))
  }

  orderByTransactionId(mchId: string, transactionId: string): Order | undefined {
    const order = this.#orders.get(this.#orderKeyByTransactionId.get(transactionId) ?? '')
    return order?.mchId === mchId ? order : undefined
  }

  /** Also finds an order by a `prepay_id` that a newer one has replaced. */
  orderByPrepayId(prepayId: string): Order | undefined {
    return this.#orders.get(this.#orderKeyByPrepayId.get(prepayId) ?? '')
  }

  refund(mchId: string, outRefundNo: string): Refund | undefined {
    return this.#refunds.get(keyOf(mchId, outRefundNo))
  }

  refundById(mchId: string, refundId: string): Refund | undefined {
    const refund = this.#refunds.get(this.#refundKeyById.get(refundId) ?? '')
    return refund?.mchId === mchId ? refund : undefined
  }

  /** In the order in which they were asked for. */
  refundsOf(order: Order): Refund[] {
    const keys = this.#refundKeysOfOrder.get(keyOf(order.mchId, order.outTradeNo)) ?? []
    return [...keys].map((key) => this.#refunds.get(key)).filter((refund) => refund !== undefined)
  }

  /** What the merchant can refund from, or null without a limit. */
  balanceFen(mchId: string): number | null {
    const balanceFen = this.#balances.get(mchId)
    return balanceFen === undefined ? 0 : balanceFen
  }

  /** The appid with which an openid was seen first; it is a buyer's name under that one alone. */
  appIdOfOpenid(openid: string): string | undefined {
    return this.#appIdByOpenid.get(openid)
  }

  /** Where the merchant's last refund that named an address wanted to be told. */
  lastRefundNotifyUrl(mchId: string): string {
    return this.#refundNotifyUrls.get(mchId) ?? ''
  }

  orders(): Iterable<Order> {
    return this.#orders.values()
  }

  refunds(): Iterable<Refund> {
    return this.#refunds.values()
  }

  calls(): readonly LoggedCall[] {
    return this.#calls
  }

  /** The book as journal lines, for a journal that begins anew. */
  *lines(): Generator<JournalLine> {
    for (const value of this.merchants.values()) yield { kind: 'merchant', value }
    for (const value of this.#orders.values()) yield { kind: 'order', value }
    for (const value of this.#refunds.values()) yield { kind: 'refund', value }
    for (const value of this.notifications.values()) yield { kind: 'notification', value }
    for (const [mchId, balanceFen] of this.#balances) {
      yield { kind: 'balance', value: { mchId, balanceFen } }
    }
    for (const value of this.#calls) yield { kind: 'call', value }
  }

  /** Puts one line of the journal back; lines of other kinds are not the book's. */
  restore(line: JournalLine): void {
    const { kind, value } = line
    if (kind === 'merchant') this.putMerchant(value as Merchant)
    if (kind === 'order') this.putOrder({ ...ORDER_BEFORE, ...(value as Order) })
    if (kind === 'refund') this.putRefund({ ...REFUND_BEFORE, ...(value as Refund) })
    if (kind === 'notification') this.putNotification(value as Notification)
    if (kind === 'call') this.addCall(value as LoggedCall)
    if (kind === 'balance') {
      const balance = value as { mchId: string; balanceFen: number | null }
      this.setBalance(balance.mchId, balance.balanceFen)
    }
  }
}

function keyOf(mchId: string, number: string): string {
  return `${mchId}/${number}`
}

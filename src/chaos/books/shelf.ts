import { fen, formatYuan } from '../../domain/money.js'
import type { DrivenOrders } from '../driven.js'
import type {
  Books,
  ChannelOrder,
  ChannelRefund,
  DecisionEntry,
  PaymentEntry,
  RefundEntry,
  TransferEntry,
} from './books.js'

/** The loaded books with what is looked up in them again and again. */
export class Shelf {
  readonly books: Books
  readonly expected: DrivenOrders
  readonly paymentById: ReadonlyMap<string, PaymentEntry>
  readonly paymentByNumber: ReadonlyMap<string, PaymentEntry>
  readonly refundById: ReadonlyMap<string, RefundEntry>
  readonly refundByNumber: ReadonlyMap<string, RefundEntry>
  readonly #orders: ReadonlyMap<string, ChannelOrder>
  readonly #givenBack: ReadonlyMap<string, ChannelRefund>
  readonly #refundsOf: ReadonlyMap<string, readonly RefundEntry[]>
  readonly #givenBackOf: ReadonlyMap<string, readonly ChannelRefund[]>
  readonly #decisionsOf: ReadonlyMap<string, readonly DecisionEntry[]>
  readonly #transfersOf: ReadonlyMap<string, readonly TransferEntry[]>

  constructor(books: Books, expected: DrivenOrders) {
    const { tables, channel, journal } = books
    this.books = books
    this.expected = expected
    this.paymentById = new Map(tables.payments.map((each) => [each.id, each]))
    this.paymentByNumber = new Map(tables.payments.map((each) => [each.outTradeNo, each]))
    this.refundById = new Map(tables.refunds.map((each) => [each.id, each]))
    this.refundByNumber = new Map(tables.refunds.map((each) => [each.outRefundNo, each]))
    this.#orders = new Map(channel.orders.map((each) => [each.outTradeNo, each]))
    this.#givenBack = new Map(channel.refunds.map((each) => [each.outRefundNo, each]))
    this.#refundsOf = grouped(tables.refunds, ({ paymentId }) => paymentId)
    this.#givenBackOf = grouped(channel.refunds, ({ outTradeNo }) => outTradeNo)
    this.#decisionsOf = grouped(tables.decisions, ({ refundId }) => refundId)
    this.#transfersOf = grouped(journal, ({ causeId }) => causeId)
  }

  refundsOf(payment: PaymentEntry): readonly RefundEntry[] {
    return this.#refundsOf.get(payment.id) ?? []
  }

  decisionsOf(refund: RefundEntry): readonly DecisionEntry[] {
    return this.#decisionsOf.get(refund.id) ?? []
  }

  /** What was posted for a payment or a refund. */
  transfersOf(causeId: string): readonly TransferEntry[] {
    return this.#transfersOf.get(causeId) ?? []
  }

  /** The order at the channel. */
  orderOf(outTradeNo: string): ChannelOrder | undefined {
    return this.#orders.get(outTradeNo)
  }

  /** The refund at the channel. */
  givenBack(outRefundNo: string): ChannelRefund | undefined {
    return this.#givenBack.get(outRefundNo)
  }

  /** All refunds of an order at the channel, whoever asked for them. */
  givenBackOf(outTradeNo: string): readonly ChannelRefund[] {
    return this.#givenBackOf.get(outTradeNo) ?? []
  }
}

/** `REFUND` is what the channel calls a paid order of which something was given back. */
type PaidOrder = ChannelOrder & { readonly tradeState: 'SUCCESS' | 'REFUND' }

export const isPaidAtChannel = (order: ChannelOrder | undefined): order is PaidOrder =>
  order?.tradeState === 'SUCCESS' || order?.tradeState === 'REFUND'

/** An amount as the sentences tell it; a balance may be below zero. */
export const yuan = (amountFen: number): string =>
  `${amountFen < 0 ? '-' : ''}${formatYuan(fen(Math.abs(amountFen)))} yuan`

export const sumOf = <T>(items: readonly T[], amountFen: (item: T) => number): number =>
  items.reduce((sum, item) => sum + amountFen(item), 0)

export function grouped<T>(
  items: readonly T[],
  keyOf: (item: T) => string,
): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>()
  for (const item of items) {
    const key = keyOf(item)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [item])
    else group.push(item)
  }
  return groups
}

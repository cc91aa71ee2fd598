import { instantOfCompact } from '../time.js'
import { feeOf, valueOf } from './fields.js'
import type { Fields } from './sign.js'

/** A paid transaction as a payment notification and a query both describe it. Fees are fen. */
export interface V2Transaction {
  readonly appId: string
  readonly mchId: string
  readonly outTradeNo: string
  readonly transactionId: string
  readonly feeType: string
  readonly totalFee: number
  readonly cashFee: number
  readonly settlementTotalFee: number
  /** ISO instant of `time_end`. */
  readonly paidAt: string
}

/** Reads a transaction; the name of the first field that is missing or malformed otherwise. */
export function readTransaction(fields: Fields): V2Transaction | { readonly lacking: string } {
  const appId = valueOf(fields, 'appid')
  if (appId === undefined) return { lacking: 'appid' }
  const mchId = valueOf(fields, 'mch_id')
  if (mchId === undefined) return { lacking: 'mch_id' }
  const outTradeNo = valueOf(fields, 'out_trade_no')
  if (outTradeNo === undefined) return { lacking: 'out_trade_no' }
  const transactionId = valueOf(fields, 'transaction_id')
  if (transactionId === undefined) return { lacking: 'transaction_id' }
  const fees = readFees(fields)
  if ('lacking' in fees) return fees
  const paidAt = instantOfCompact(fields.get('time_end') ?? '')
  if (paidAt === undefined) return { lacking: 'time_end' }
  const feeType = valueOf(fields, 'fee_type') ?? 'CNY'
  return { appId, mchId, outTradeNo, transactionId, feeType, ...fees, paidAt }
}

type Fees = Pick<V2Transaction, 'totalFee' | 'cashFee' | 'settlementTotalFee'>

/** The two optional fees may be absent, but a malformed one makes the whole message unusable. */
function readFees(fields: Fields): Fees | { readonly lacking: string } {
  const totalFee = feeOf(fields, 'total_fee')
  if (totalFee === undefined) return { lacking: 'total_fee' }
  const cashFee = optionalFee(fields, 'cash_fee', totalFee)
  if (cashFee === undefined) return { lacking: 'cash_fee' }
  const settlementTotalFee = optionalFee(fields, 'settlement_total_fee', totalFee)
  if (settlementTotalFee === undefined) return { lacking: 'settlement_total_fee' }
  return { totalFee, cashFee, settlementTotalFee }
}

/** A fee that stands for another one when it is not sent; nothing when it is malformed. */
export function optionalFee(fields: Fields, name: string, fallback: number): number | undefined {
  return valueOf(fields, name) === undefined ? fallback : feeOf(fields, name)
}

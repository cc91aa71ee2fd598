import { randomBytes, randomInt } from 'node:crypto'
import { beijingDigits } from './beijing.js'

const LETTERS = 'ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789'

/** Random text of letters and digits without look-alikes. */
export function randomText(length: number): string {
  return Array.from(randomBytes(length), (byte) => LETTERS[byte % LETTERS.length]).join('')
}

export function randomDigits(length: number): string {
  return Array.from(randomBytes(length), (byte) => byte % 10).join('')
}

/** 36 characters: `wx`, the second in Beijing, 20 random hex digits. */
export function makePrepayId(nowMs: number): string {
  return `wx${beijingDigits(nowMs)}${randomBytes(10).toString('hex')}`
}

/** 28 digits that start with 4200, as those of WeChat's own orders do. */
export function makeTransactionId(nowMs: number): string {
  const middle = String(randomInt(1_000_000)).padStart(6, '0')
  return `4200${middle}${beijingDigits(nowMs).slice(0, 8)}${randomDigits(10)}`
}

/** 29 digits that start with 503. */
export function makeRefundId(nowMs: number): string {
  return `503${randomDigits(7)}${beijingDigits(nowMs).slice(0, 8)}${randomDigits(11)}`
}

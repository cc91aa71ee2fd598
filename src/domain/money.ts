/**
 * Money is an integer number of fen (1/100 yuan). The brand keeps plain numbers out, and this file
 * is the only one that does arithmetic on amounts.
 */
declare const fenBrand: unique symbol
export type Fen = number & { readonly [fenBrand]: true }

/** The largest amount one payment may have: ten million yuan, far inside a safe integer. */
export const PAYMENT_FEN_MAX = 1_000_000_000

export const ZERO_FEN = 0 as Fen

/**
 * Accepts an integer number of fen.
 * @throws RangeError when the value is fractional, unsafe or negative.
 */
export function fen(value: number): Fen {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new RangeError(`An amount must be a whole, non-negative number of fen, not ${value}.`)
  }
  return value as Fen
}

/**
 * Reads an amount in fen as the channel writes it: decimal digits, nothing else.
 * @throws RangeError for signs, points, exponents, blanks and anything longer than a safe integer.
 */
export function parseFen(text: string): Fen {
  if (!/^(0|[1-9]\d{0,14})$/.test(text)) {
    throw new RangeError('An amount in fen must be written as decimal digits only.')
  }
  return fen(Number(text))
}

/** @throws RangeError when the sum is no safe integer. */
export function addFen(...amounts: readonly Fen[]): Fen {
  return fen(amounts.reduce<number>((sum, amount) => sum + amount, 0))
}

/** @throws RangeError when the result would be negative: an amount never is. */
export function subtractFen(from: Fen, amount: Fen): Fen {
  return fen(from - amount)
}

/** Writes an amount in yuan with two decimals, for people: 1234 fen is "12.34". */
export function formatYuan(amount: Fen): string {
  const digits = String(amount).padStart(3, '0')
  return `${digits.slice(0, -2)}.${digits.slice(-2)}`
}

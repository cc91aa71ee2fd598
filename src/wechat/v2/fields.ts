import type { Fields } from './sign.js'

/** Sixteen digits and more would not fit a safe integer; no amount of V2 comes near. */
const FEE_PATTERN = /^(0|[1-9]\d{0,14})$/

/** An amount in fen as V2 writes it: decimal digits only; nothing for anything else. */
export function feeOf(fields: Fields, name: string): number | undefined {
  const text = fields.get(name)
  return text !== undefined && FEE_PATTERN.test(text) ? Number(text) : undefined
}

/** A field's value; nothing when the field is absent or empty, which V2 does not tell apart. */
export function valueOf(fields: Fields, name: string): string | undefined {
  const value = fields.get(name)
  return value === '' ? undefined : value
}

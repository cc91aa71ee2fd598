import { hash } from 'node:crypto'

/** A value of a sealed row as text: what the database writes for it, or null. */
export type CanonicalValue = string | null

/**
 * Values as one text that no other list of values gives: each with its length in bytes before it,
 * and a dash for null. The function `sized` of the database writes the same.
 */
export const canonicalText = (values: readonly CanonicalValue[]): string =>
  values.map((value) => (value === null ? '-' : `${Buffer.byteLength(value)}:${value}`)).join('')

/** The SHA-256 of some bytes, or of a text in UTF-8. */
export const sha256 = (data: Buffer | string): Buffer => hash('sha256', data, 'buffer')

import { createHash } from 'node:crypto'

import { uuidV7 } from '../../domain/ids.js'

const TWO_TO_32 = 4_294_967_296

/**
 * Chance that comes out the same for the same words: Chris Doty-Humphrey's `sfc32`, begun with a
 * hash of them. It decides what a seeded book looks like and nothing that has to be secret.
 */
export class Draw {
  #a: number
  #b: number
  #c: number
  #counter: number

  constructor(...words: readonly string[]) {
    const hash = createHash('sha256').update(words.join('\n')).digest()
    this.#a = hash.readInt32LE(0)
    this.#b = hash.readInt32LE(4)
    this.#c = hash.readInt32LE(8)
    this.#counter = hash.readInt32LE(12)
  }

  /** 32 random bits. */
  bits(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0
    this.#counter = (this.#counter + 1) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum
    return sum >>> 0
  }

  /** A whole number from 0 up to, but not including, `bound`. */
  below(bound: number): number {
    return Math.floor((this.bits() / TWO_TO_32) * bound)
  }

  /** A whole number from `least` to `most`, both possible. */
  between(least: number, most: number): number {
    return least + this.below(most - least + 1)
  }

  /** True in so many of a thousand cases. */
  happens(perMille: number): boolean {
    return this.below(1_000) < perMille
  }

  /** @throws RangeError when there is nothing to pick from. */
  pick<T>(choices: readonly T[]): T {
    const choice = choices[this.below(choices.length)]
    if (choice === undefined) throw new RangeError('There is nothing to pick from.')
    return choice
  }

  /** A choice by weights, which are whole numbers. */
  weighted<T extends string>(weights: Readonly<Record<T, number>>): T {
    const choices = Object.entries(weights) as [T, number][]
    let left = this.below(choices.reduce((sum, [, weight]) => sum + weight, 0))
    for (const [choice, weight] of choices) {
      if (left < weight) return choice
      left -= weight
    }
    throw new RangeError('There is nothing to pick from.')
  }

  /** A number of the normal distribution with mean 0 and deviation 1 (Box and Muller). */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log((this.bits() + 1) / (TWO_TO_32 + 1)))
    return radius * Math.cos((2 * Math.PI * this.bits()) / TWO_TO_32)
  }

  bytes(count: number): Uint8Array {
    const words = Uint32Array.from({ length: Math.ceil(count / 4) }, () => this.bits())
    return new Uint8Array(words.buffer, 0, count)
  }

  digits(count: number): string {
    let text = ''
    while (text.length < count) text += String(this.below(1_000_000_000)).padStart(9, '0')
    return text.slice(0, count)
  }

  uuid(at: Date): string {
    return uuidV7(at.getTime(), this.bytes(10))
  }
}

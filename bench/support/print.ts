import type { Measured } from './loop.js'

const NAME_CHARACTERS = 38

export const line = (name: string, value: string): void => {
  process.stdout.write(`${name.padEnd(NAME_CHARACTERS)}${value}\n`)
}

export const rate = ({ perSecond, p50Ms, p99Ms, flows }: Measured): string =>
  `${perSecond.toFixed(1)}/s   p50 ${p50Ms.toFixed(0)} ms   p99 ${p99Ms.toFixed(0)} ms   (${flows})`

/** A ratio beside what it has to be. */
export const atLeast = (ratio: number, least: number): string =>
  `${ratio.toFixed(2)}   (at least ${least})`

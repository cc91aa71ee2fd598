import { benchSeed } from '../seed.js'
import { line } from '../support/print.js'

const PEAK_MIB_MOST = 512
const VERIFY_SECONDS_MOST = 120
/** The promise about verifying is made for this many entries, whatever the size of the book. */
const VERIFY_ENTRIES = 1_000_000

/** A seeded book, and how long it takes to verify all of it. */
export async function bench({ payments }: { readonly payments: number }): Promise<boolean> {
  const { seeded, verified } = await benchSeed(payments)
  const perSecond = (payments / Math.max(1, seeded.seconds)).toFixed(0)
  line('seed', `${payments} payments in ${seeded.seconds} s (${perSecond}/s)`)
  line('seed, most memory', `${seeded.peakMib} MiB   (at most ${PEAK_MIB_MOST})`)
  const { entries, seconds, peakMib } = verified
  line('verify', `${entries} entries in ${seconds.toFixed(1)} s`)
  line('verify, most memory', `${peakMib} MiB`)
  const secondsOfMillion = (seconds / entries) * VERIFY_ENTRIES
  line(
    'verify, a million entries',
    `${secondsOfMillion.toFixed(1)} s   (at most ${VERIFY_SECONDS_MOST})`,
  )
  return seeded.peakMib <= PEAK_MIB_MOST && secondsOfMillion <= VERIFY_SECONDS_MOST
}

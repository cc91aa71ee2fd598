import type { Draw } from './draw.js'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const BEIJING_OFFSET_MS = 8 * HOUR_MS
/** The last payments were made within this time, and still wait for their buyers. */
const STILL_OPEN_MS = 25 * 60_000
/** Whatever was made before this is over by the end, also where it was closed and paid late. */
const OVER_MS = 36 * 60_000

/** How much is sold in each hour of a Beijing day: open from eight to eleven. */
const BY_HOUR = [0, 0, 0, 0, 0, 0, 0, 0, 2, 5, 8, 10, 14, 9, 7, 7, 8, 10, 14, 16, 15, 11, 6, 0]
/** Sunday first. */
const BY_WEEKDAY = [14, 9, 9, 9, 10, 12, 15]
/** The days of the great sales, as month and day. */
const SALES: Readonly<Record<string, number>> = { '06-18': 4, '11-11': 6, '12-12': 3 }

/**
 * The instants at which so many payments were made, in order, in the business hours of the days
 * up to `until`; the last `stillOpen` of them fall into the last minutes.
 */
export function* paymentInstants(
  draw: Draw,
  { count, stillOpen, days, until }: CalendarOptions,
): Generator<Date> {
  const hours = businessHours(days, until)
  const weight = hours.reduce((sum, hour) => sum + hour.weight, 0)
  const past = count - stillOpen
  let index = 0
  let passed = 0
  for (const hour of hours) {
    passed += hour.weight
    const last = Math.round((passed * past) / weight)
    yield* spread(draw, last - index, hour.startsAtMs, hour.endsAtMs)
    index = last
  }
  yield* spread(draw, stillOpen, until.getTime() - STILL_OPEN_MS, until.getTime() - 30_000)
}

export interface CalendarOptions {
  readonly count: number
  readonly stillOpen: number
  readonly days: number
  readonly until: Date
}

interface Hour {
  readonly startsAtMs: number
  readonly endsAtMs: number
  readonly weight: number
}

/** Whole hours with what is sold in them; the last ends where the open payments begin. */
function businessHours(days: number, until: Date): Hour[] {
  const lastMs = until.getTime() - OVER_MS
  const firstMs = Math.floor((lastMs - days * DAY_MS) / HOUR_MS) * HOUR_MS
  const hours: Hour[] = []
  for (let startsAtMs = firstMs; startsAtMs < lastMs; startsAtMs += HOUR_MS) {
    const beijing = new Date(startsAtMs + BEIJING_OFFSET_MS)
    const byHour = BY_HOUR[beijing.getUTCHours()] ?? 0
    const byWeekday = BY_WEEKDAY[beijing.getUTCDay()] ?? 0
    const sale = SALES[beijing.toISOString().slice(5, 10)] ?? 1
    const weight = byHour * byWeekday * sale
    if (weight === 0) continue
    hours.push({ startsAtMs, endsAtMs: Math.min(startsAtMs + HOUR_MS, lastMs), weight })
  }
  return hours
}

function* spread(draw: Draw, count: number, fromMs: number, toMs: number): Generator<Date> {
  const gapMs = (toMs - fromMs) / Math.max(count, 1)
  for (let n = 0; n < count; n += 1) {
    yield new Date(fromMs + Math.floor(n * gapMs) + draw.below(Math.max(1, Math.floor(gapMs))))
  }
}

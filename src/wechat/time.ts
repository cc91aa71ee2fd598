/** Times of V2 are Beijing time, which has had no daylight saving since 1991: always UTC+8. */
const BEIJING_OFFSET_MS = 8 * 60 * 60 * 1000

const COMPACT_PATTERN = /^(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})$/
const DASHED_PATTERN = /^(\d{4})-(\d{2})-(\d{2}) (\d{2}):(\d{2}):(\d{2})$/

/** Reads `yyyyMMddHHmmss` in Beijing time (payments); nothing when it is not a real moment. */
export function instantOfCompact(text: string): string | undefined {
  return instantOf(COMPACT_PATTERN.exec(text))
}

/** Reads `yyyy-MM-dd HH:mm:ss` in Beijing time (refunds); nothing when it is not a real moment. */
export function instantOfDashed(text: string): string | undefined {
  return instantOf(DASHED_PATTERN.exec(text))
}

/** Writes an ISO instant or a time in milliseconds as `yyyyMMddHHmmss` in Beijing time. */
export function compactOfInstant(instant: string | number): string {
  return beijingIso(instant).slice(0, 19).replaceAll(/[-:T]/g, '')
}

/** Writes an ISO instant or a time in milliseconds as `yyyy-MM-dd HH:mm:ss` in Beijing time. */
export function dashedOfInstant(instant: string | number): string {
  return beijingIso(instant).slice(0, 19).replace('T', ' ')
}

function beijingIso(instant: string | number): string {
  return new Date(new Date(instant).getTime() + BEIJING_OFFSET_MS).toISOString()
}

function instantOf(parts: RegExpExecArray | null): string | undefined {
  if (parts === null) return undefined
  const [, year, month, day, hour, minute, second] = parts
  const local = `${year}-${month}-${day}T${hour}:${minute}:${second}.000Z`
  const timeMs = Date.parse(local)
  // The parser rolls 31 February over into March, so the way back must give the same text.
  if (Number.isNaN(timeMs) || new Date(timeMs).toISOString() !== local) return undefined
  return new Date(timeMs - BEIJING_OFFSET_MS).toISOString()
}

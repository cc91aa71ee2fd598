const OFFSET_MS = 8 * 60 * 60 * 1000

/** An instant as `yyyyMMddHHmmss` in Beijing time, as requests and payments write it. */
export function beijingDigits(atMs: number): string {
  return beijingIso(atMs).replace(/\D/g, '')
}

/** An instant as `yyyy-MM-dd HH:mm:ss` in Beijing time, as refunds write it. */
export function beijingText(atMs: number): string {
  return beijingIso(atMs).replace('T', ' ')
}

/** The instant of `yyyyMMddHHmmss` in Beijing time, or undefined when there is no such time. */
export function parseBeijingDigits(digits: string): number | undefined {
  const parts = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/.exec(digits)
  if (!parts) return undefined
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts
    .slice(1)
    .map(Number)
  const atMs = Date.UTC(year, month - 1, day, hour, minute, second) - OFFSET_MS
  return beijingDigits(atMs) === digits ? atMs : undefined
}

function beijingIso(atMs: number): string {
  return new Date(atMs + OFFSET_MS).toISOString().slice(0, 19)
}

import { setTimeout as sleep } from 'node:timers/promises'

export interface ClosedLoop {
  /** Flows that are under way at any moment. */
  readonly inFlight: number
  readonly warmUpMs: number
  readonly measureMs: number
  /** Takes one flow from its beginning to its end. */
  readonly flow: () => Promise<void>
}

export interface Measured {
  readonly flows: number
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
}

/** Runs flows in a closed loop and measures those that end within the window after the warm-up. */
export async function runClosedLoop(loop: ClosedLoop): Promise<Measured> {
  const durationsMs: number[] = []
  const beginsAt = performance.now() + loop.warmUpMs
  const endsAt = beginsAt + loop.measureMs
  const lane = async (): Promise<void> => {
    while (performance.now() < endsAt) {
      const startedAt = performance.now()
      await loop.flow()
      const endedAt = performance.now()
      if (endedAt >= beginsAt && endedAt < endsAt) durationsMs.push(endedAt - startedAt)
    }
  }
  await Promise.all(Array.from({ length: loop.inFlight }, lane))
  return {
    flows: durationsMs.length,
    perSecond: durationsMs.length / (loop.measureMs / 1_000),
    p50Ms: percentile(durationsMs, 0.5),
    p99Ms: percentile(durationsMs, 0.99),
  }
}

/** Begins a flow every `everyMs` whatever became of those before: latency without omission. */
export async function runOpenLoop(options: {
  /** How long after the call the first flow begins; at once when absent. */
  readonly afterMs?: number
  readonly everyMs: number
  readonly count: number
  readonly flow: (index: number) => Promise<void>
}): Promise<{ p50Ms: number; p99Ms: number; maxMs: number }> {
  const { everyMs, count, flow, afterMs = 0 } = options
  const beginsAt = performance.now() + afterMs
  const durationsMs: number[] = []
  const one = async (index: number): Promise<void> => {
    const dueAt = beginsAt + index * everyMs
    await sleep(Math.max(0, dueAt - performance.now()))
    await flow(index)
    durationsMs.push(performance.now() - dueAt)
  }
  await Promise.all(Array.from({ length: count }, (_, index) => one(index)))
  const maxMs = durationsMs.reduce((most, each) => Math.max(most, each), 0)
  return { p50Ms: percentile(durationsMs, 0.5), p99Ms: percentile(durationsMs, 0.99), maxMs }
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

export const median = (values: readonly number[]): number => percentile(values, 0.5)

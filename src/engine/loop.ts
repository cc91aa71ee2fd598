/** A loop of the worker: ticks until it is stopped, and never two ticks at once. */
export interface Loop {
  stop(): Promise<void>
}

export interface LoopOptions {
  readonly everyMs: number
  readonly tick: () => Promise<void>
  /** Told of a tick that failed; the loop goes on, because what it looks for stays in its rows. */
  readonly onError: (error: unknown) => void
}

/**
 * Starts a loop; a tick that fails is reported and the next one comes as usual, with some jitter.
 */
export function startLoop({ everyMs, tick, onError }: LoopOptions): Loop {
  let stopped = false
  let wake: () => void = () => undefined
  const done = (async () => {
    while (!stopped) {
      await tick().catch(onError)
      if (stopped) break
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, everyMs * (0.9 + Math.random() * 0.2))
        wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  })()
  return {
    async stop() {
      stopped = true
      wake()
      await done
    },
  }
}

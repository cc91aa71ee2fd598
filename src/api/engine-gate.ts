import { CodedError } from '../domain/errors.js'

const PROBE_TIMEOUT_MS = 1_500
const PROBE_FRESH_MS = 1_000

/**
 * Calls the engine, and notices within two seconds when it is away. The engine's client repeats a
 * refused connection for as long as its deadline allows, so a short question of its own, shared by
 * all calls of a second, tells "slow" from "away".
 */
export class EngineGate {
  readonly #isReachable: (timeoutMs: number) => Promise<boolean>
  readonly #onFailure: (error: unknown) => void
  #probe: { readonly answer: Promise<boolean>; readonly atMs: number } | undefined

  constructor(
    isReachable: (timeoutMs: number) => Promise<boolean>,
    onFailure: (error: unknown) => void,
  ) {
    this.#isReachable = isReachable
    this.#onFailure = onFailure
  }

  /**
   * Repeating what it runs must be harmless: a call given up here may still reach the engine.
   * @throws CodedError `engine_unavailable` when the call fails or the engine is away.
   */
  async run<T>(call: () => Promise<T>): Promise<T> {
    try {
      return await Promise.race([call(), this.#away()])
    } catch (error) {
      this.#onFailure(error)
      throw new CodedError('engine_unavailable')
    }
  }

  /** Rejects when the engine is found to be away, and otherwise never settles. */
  async #away(): Promise<never> {
    if (await this.#probed()) return new Promise<never>(() => undefined)
    throw new Error('The engine does not answer.')
  }

  #probed(): Promise<boolean> {
    const known = this.#probe
    if (known !== undefined && performance.now() - known.atMs < PROBE_FRESH_MS) return known.answer
    const answer = this.#isReachable(PROBE_TIMEOUT_MS).catch(() => false)
    const probe = { answer, atMs: performance.now() }
    this.#probe = probe
    // An engine that comes back must not be believed away for a second.
    void answer.then((reachable) => {
      if (!reachable && this.#probe === probe) this.#probe = undefined
    })
    return answer
  }
}

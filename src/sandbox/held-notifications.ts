/**
 * Notifications that wait for another one of their merchant to go first, so that two arrive in the
 * other order than they happened.
 */
export class HeldNotifications {
  readonly #merchants = new Map<string, string>()

  hold(id: string, mchId: string): void {
    this.#merchants.set(id, mchId)
  }

  /** Whether this one was still held; from now on it is not. */
  release(id: string): boolean {
    return this.#merchants.delete(id)
  }

  /** Those of a merchant, oldest first; from now on none is held. */
  releaseAll(mchId: string): string[] {
    const held = [...this.#merchants].filter(([, of]) => of === mchId).map(([id]) => id)
    for (const id of held) this.#merchants.delete(id)
    return held
  }
}

import { setTimeout as sleep } from 'node:timers/promises'

const GATHER_MS = 100

/**
 * Notes which facts the engine has been told of. Nobody waits for this mark, which only spares the
 * redelivery loop a message, so facts are gathered and noted by one statement at most ten times a
 * second: a commit for each would compete with those that a notification's answer waits for.
 */
export class SignalledFacts {
  readonly #mark: (ids: readonly string[]) => Promise<void>
  #gathering: { readonly ids: string[]; readonly marked: Promise<void> } | undefined

  constructor(mark: (ids: readonly string[]) => Promise<void>) {
    this.#mark = mark
  }

  /** Settles once the mark is stored. @throws what storing it threw. */
  async note(id: string): Promise<void> {
    this.#gathering ??= this.#gather()
    this.#gathering.ids.push(id)
    await this.#gathering.marked
  }

  #gather(): { ids: string[]; marked: Promise<void> } {
    const ids: string[] = []
    const marked = sleep(GATHER_MS).then(() => {
      this.#gathering = undefined
      return this.#mark(ids)
    })
    return { ids, marked }
  }
}

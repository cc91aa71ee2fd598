import { AsyncLocalStorage } from 'node:async_hooks'

/** One transaction's time, as seen by whatever is called from inside it. */
interface Scope {
  open: boolean
}

const scopes = new AsyncLocalStorage<Scope>()

/** Runs `work` as the inside of a transaction; when it has ended, so has the inside. */
export async function insideTransaction<T>(work: () => Promise<T>): Promise<T> {
  const scope = { open: true }
  try {
    return await scopes.run(scope, work)
  } finally {
    scope.open = false
  }
}

/**
 * Refuses what must not happen while a transaction is open: rows stay locked for as long as it
 * takes, a rollback cannot take it back, and a second connection may never be free.
 * @throws Error naming what was tried
 */
export function refuseInsideTransaction(what: string): void {
  if (scopes.getStore()?.open === true) {
    throw new Error(`${what} inside a transaction: only its own statements belong there.`)
  }
}

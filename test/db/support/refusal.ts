import { sqlState, violatedConstraint } from '../../../src/db/transaction.js'

const NO_RIGHT = '42501'

/**
 * Who refused a statement: the constraint or trigger by its name, or the right that was lacking.
 * @throws Error when the statement was not refused, or failed for another reason.
 */
export async function refusalOf(statement: Promise<unknown>): Promise<string> {
  const error = await statement.then(
    () => new Error('The statement was accepted.'),
    (failure: unknown) => failure,
  )
  const refusal = refuser(error)
  if (refusal === undefined) throw error
  return refusal
}

/** The name behind an error of the database, or undefined when no rule of ours stands behind it. */
export function refuser(error: unknown): string | undefined {
  const constraint = violatedConstraint(error)
  if (constraint !== undefined) return constraint
  return sqlState(error) === NO_RIGHT ? (error as Error).message : undefined
}

/** Who tries what, as data: the tests run it and the documentation lists it. */

export type Role = 'owner' | 'api' | 'worker'

/** Statements by what they do. */
export type Statements = Readonly<Record<string, string>>

export interface Attempt {
  readonly role: Role
  readonly what: string
  readonly statement: string
}

export interface Refusal extends Attempt {
  /** The constraint or the trigger by its name, or the right that is lacking. */
  readonly refusedBy: string
}

export const refused = (role: Role, refusedBy: string, statements: Statements): Refusal[] =>
  Object.entries(statements).map(([what, statement]) => ({ role, what, statement, refusedBy }))

export const allowed = (role: Role, statements: Statements): Attempt[] =>
  Object.entries(statements).map(([what, statement]) => ({ role, what, statement }))

export const noRight = (table: string): string => `permission denied for table ${table}`

export const noCall = (name: string): string => `permission denied for function ${name}`

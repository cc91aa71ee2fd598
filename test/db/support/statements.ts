/** What each transaction costs: a test measures it, and the documentation's table is this list. */
export interface Cost {
  readonly name: string
  /** With `begin` and `commit`. */
  readonly statements: number
  /** At most: statements that are sent without waiting for each other share one. */
  readonly roundTrips: number
}

const cost = (name: string, statements: number, roundTrips: number): Cost => ({
  name,
  statements,
  roundTrips,
})

export const COSTS = {
  settle: cost('settle a payment', 4, 4),
  close: cost('close a payment', 6, 4),
  request: cost('request a refund', 5, 5),
  decide: cost('decide', 9, 5),
  expire: cost('expire a refund', 6, 4),
  claim: cost('claim the first submit', 7, 5),
  accepted: cost('book the acceptance', 8, 4),
  confirm: cost('confirm a refund', 8, 6),
} as const satisfies Record<string, Cost>

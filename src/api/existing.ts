/**
 * A row that a foreign key, or a write just made, says is there.
 * @throws Error when it is not: a broken invariant.
 */
export function existing<Row>(row: Row | undefined): Row {
  if (row === undefined) throw new Error('A row that must exist is not there.')
  return row
}

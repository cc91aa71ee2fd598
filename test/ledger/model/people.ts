/** Who says something: an API key, and the one who uses it by the name that was given. */
export const PEOPLE = {
  asker: { key: 'one', name: 'Alice' },
  approver: { key: 'two', name: 'Bob' },
  second: { key: 'three', name: 'Carol' },
  'asker by another key': { key: 'two', name: ' ALICE' },
  'approver by another key': { key: 'three', name: 'bob ' },
  "another by the approver's key": { key: 'two', name: 'Dave' },
} as const

export type Who = keyof typeof PEOPLE
export type Key = (typeof PEOPLE)[Who]['key']

/** A name as people mean it. */
export const personOf = (who: Who): string => PEOPLE[who].name.trim().toLowerCase()

/** Nobody knows who holds a key, and anybody can give a name: either of them makes two the same. */
export const isSame = (one: Who | null, other: Who): boolean =>
  one !== null && (PEOPLE[one].key === PEOPLE[other].key || personOf(one) === personOf(other))

import { createHash } from 'node:crypto'

/** What two bodies have in common when they are one request, whatever the order of their fields. */
export function requestHash(body: object): Buffer {
  const entries = Object.entries(body).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return createHash('sha256').update(JSON.stringify(entries)).digest()
}

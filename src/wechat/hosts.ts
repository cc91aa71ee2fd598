/** How long a host that could not be reached is asked last. */
const AVOIDED_MS = 60_000

export interface Hosts<Host> {
  /** The hosts in the order in which to try them now. */
  inOrder(): readonly Host[]
  /** Remembers that no connection to this host came about. */
  avoid(host: Host): void
}

/**
 * Keeps in mind which of a channel's hosts was out of reach, so that not every call has to find it
 * out anew. While all of them are, they are tried in their own order.
 */
export function createHosts<Host>(
  hosts: readonly Host[],
  { avoidedMs = AVOIDED_MS, nowMs = () => performance.now() } = {},
): Hosts<Host> {
  const avoidedUntilMs = new Map<Host, number>()
  const isAvoided = (host: Host): boolean => nowMs() < (avoidedUntilMs.get(host) ?? 0)
  return {
    inOrder: () => [
      ...hosts.filter((host) => !isAvoided(host)),
      ...hosts.filter((host) => isAvoided(host)),
    ],
    avoid: (host) => void avoidedUntilMs.set(host, nowMs() + avoidedMs),
  }
}

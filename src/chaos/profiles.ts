import type { FaultKind } from './kinds.js'
import { ARMED_KINDS, PORTAL_KINDS, STRIKE_KINDS } from './kinds.js'

/** What a run is made of. */
export interface Profile {
  readonly sentence: string
  readonly kinds: readonly FaultKind[]
  /** How many of each: the worker and the API are two where more than one process is wanted. */
  readonly workers: number
  readonly apis: number
}

const CHANNEL_KINDS: readonly FaultKind[] = [...ARMED_KINDS, ...PORTAL_KINDS]

export const PROFILES = {
  storm: {
    sentence: 'everything at once: the channel fails, processes die, clocks jump',
    kinds: [...CHANNEL_KINDS, ...STRIKE_KINDS],
    workers: 2,
    apis: 2,
  },
  channel: {
    sentence: 'the channel loses, repeats, forges and fails; no process dies',
    kinds: CHANNEL_KINDS,
    workers: 2,
    apis: 2,
  },
  deaths: {
    sentence: 'processes die and clocks jump; the channel behaves',
    kinds: STRIKE_KINDS,
    workers: 2,
    apis: 2,
  },
  calm: {
    sentence: 'nothing happens: what the drill itself costs',
    kinds: [],
    workers: 2,
    apis: 2,
  },
  alone: {
    sentence: 'nothing happens to one worker and one API',
    kinds: [],
    workers: 1,
    apis: 1,
  },
} as const satisfies Readonly<Record<string, Profile>>

export type ProfileName = keyof typeof PROFILES

export const isProfileName = (name: string): name is ProfileName => Object.hasOwn(PROFILES, name)

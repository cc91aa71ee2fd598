/** What a section is told and what it answers: whether its promises are kept. */
export interface Section {
  readonly bench: (size: { readonly payments: number }) => Promise<boolean>
}

/** Each loads what it needs only when it is chosen, and cleans up behind itself. */
export const SECTIONS = {
  payments: (): Promise<Section> => import('../sections/payments.js'),
  placing: (): Promise<Section> => import('../sections/placing.js'),
  waiting: (): Promise<Section> => import('../sections/waiting.js'),
  settle: (): Promise<Section> => import('../sections/settle.js'),
  seed: (): Promise<Section> => import('../sections/seed.js'),
} as const

export type SectionName = keyof typeof SECTIONS

/** The command line is wrong; the message says how. */
export class BenchUseError extends Error {
  override readonly name = 'BenchUseError'
}

const NAMES = Object.keys(SECTIONS) as readonly SectionName[]
/** The size at which the promises about seeding and verifying are made. */
const PAYMENTS = 1_000_000
const SIZE = /^--payments=?(\d+)$/

/** @throws BenchUseError for a word that is neither a section nor a size */
export function parseChoice(words: readonly string[]): {
  readonly sections: readonly SectionName[]
  readonly payments: number
} {
  let payments = PAYMENTS
  const sections: SectionName[] = []
  for (const word of words.join(' ').replaceAll('--payments ', '--payments=').split(' ')) {
    const size = SIZE.exec(word)
    const section = NAMES.find((name) => name === word)
    if (size !== null) payments = Number(size[1])
    else if (section !== undefined) sections.push(section)
    else if (word !== '') throw new BenchUseError(`Choose some of ${NAMES.join(', ')}.`)
  }
  return { sections: sections.length === 0 ? NAMES : sections, payments }
}

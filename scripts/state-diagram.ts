import type { Edge, Mover } from '../src/domain/states.js'

/** Whom an edge is drawn for; the tables beneath a diagram say why. */
const LABELS: Readonly<Record<Mover, string>> = {
  channel: 'WeChat Pay',
  person: 'a person',
  time: 'time',
  engine: 'the engine',
}

export interface Drawn<S extends string> {
  readonly states: readonly S[]
  readonly edges: Readonly<Record<S, readonly Edge<S>[]>>
  /** Where the first arrow leads to; more than one where things begin differently. */
  readonly beginnings: readonly S[]
  /** The Chinese word beneath the name of a state. */
  readonly wordOf: (state: S) => string
  /** Which states stand out: those in which money is on its way, and those that ended with it. */
  readonly classOf: (state: S) => 'open' | 'moving' | 'person' | 'given' | 'ended'
}

const CLASSES: readonly string[] = [
  'classDef open fill:#f5f5f5,stroke:#8c8c8c,color:#000',
  'classDef moving fill:#e6f4ff,stroke:#1677ff,color:#000',
  'classDef person fill:#fff7e6,stroke:#d46b08,color:#000',
  'classDef given fill:#f6ffed,stroke:#389e0d,color:#000',
  'classDef ended fill:#fff,stroke:#bfbfbf,color:#595959',
]

/** A state diagram in Mermaid: every state with its word, every edge with who takes it. */
export function stateDiagram<S extends string>(drawn: Drawn<S>): string {
  const { states, edges, beginnings, wordOf, classOf } = drawn
  const arrows = states.flatMap((from) =>
    edges[from].map(({ to, by }) => `${from} --> ${to}: ${LABELS[by]}`),
  )
  const lines = [
    'direction TB',
    ...CLASSES,
    ...states.map((state) => `state "${state}<br/>${wordOf(state)}" as ${state}`),
    ...beginnings.map((state) => `[*] --> ${state}`),
    ...arrows,
    ...states.filter((state) => edges[state].length === 0).map((state) => `${state} --> [*]`),
    ...states.map((state) => `class ${state} ${classOf(state)}`),
  ]
  return ['```mermaid', 'stateDiagram-v2', ...lines.map((line) => `  ${line}`), '```'].join('\n')
}

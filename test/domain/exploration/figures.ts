/** How many worlds there are, and steps between them: a snapshot that the exploration compares. */
export const EXPLORED = { states: 55_584, edges: 481_250 } as const

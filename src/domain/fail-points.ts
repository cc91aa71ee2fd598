/**
 * Places in the code where a process may end at any moment and nothing is lost: each stands around
 * one effect on the outside. Whoever defines one has it in the list, so that the crash matrix finds
 * every one of them by itself. Nobody watches in production, where passing one is a call.
 */

/** Before the effect, or after it and before anything else. */
export type FailPointSide = 'before' | 'after'

/** Runs one effect, which is passed on as it is. */
export type FailPoint = <Result>(effect: () => Result) => Result

/** Told of each side of each effect; what it does not return from never happens. */
export type FailPointWatch = (name: string, side: FailPointSide) => void

const names = new Set<string>()
let watch: FailPointWatch | undefined

/**
 * Defines the fail points of one owner, at the top of its module.
 * @throws Error when one of that name is defined elsewhere
 */
export function failPoints<Effect extends string>(
  owner: string,
  effects: readonly Effect[],
): Readonly<Record<Effect, FailPoint>> {
  const points = effects.map((effect) => [effect, failPoint(`${owner}.${effect}`)] as const)
  return Object.fromEntries(points) as Record<Effect, FailPoint>
}

function failPoint(name: string): FailPoint {
  if (names.has(name)) throw new Error(`There are two fail points called ${name}.`)
  names.add(name)
  return (effect) => (watch === undefined ? effect() : watched(name, watch, effect))
}

function watched<Result>(name: string, tell: FailPointWatch, effect: () => Result): Result {
  tell(name, 'before')
  const result = effect()
  if (!(result instanceof Promise)) {
    tell(name, 'after')
    return result
  }
  const passed = result.then((value: unknown) => {
    tell(name, 'after')
    return value
  })
  return passed as Result
}

/** Every fail point of the modules that are loaded, in the order of their definition. */
export const failPointNames = (): readonly string[] => [...names]

/** Has each fail point of this process told; only the crash matrix does. */
export function watchFailPoints(tell: FailPointWatch): void {
  watch = tell
}

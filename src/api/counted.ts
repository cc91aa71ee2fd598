import type { Counter } from 'prom-client'
import { failureOf } from './problem.js'

/** Counts what a call was answered: by the name its value gives, or by the code of its failure. */
export async function counted<T>(
  counter: Counter<'result'>,
  call: () => Promise<T>,
  resultOf: (value: T) => string,
): Promise<T> {
  try {
    const value = await call()
    counter.inc({ result: resultOf(value) })
    return value
  } catch (error) {
    counter.inc({ result: failureOf(error).code })
    throw error
  }
}

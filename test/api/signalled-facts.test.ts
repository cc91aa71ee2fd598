import { describe, expect, test } from 'vitest'

import { SignalledFacts } from '../../src/api/signalled-facts.js'

describe('facts the engine was told of', () => {
  test('facts of one moment: are noted by one statement', async () => {
    const marked: (readonly string[])[] = []
    const facts = new SignalledFacts(async (ids) => void marked.push(ids))
    await Promise.all([facts.note('a'), facts.note('b')])
    await facts.note('c')
    expect(marked).toEqual([['a', 'b'], ['c']])
  })

  test('a mark that fails: is told to each who waits for it, and the next is tried', async () => {
    let tries = 0
    const facts = new SignalledFacts(async () => {
      tries += 1
      if (tries === 1) throw new Error('away')
    })
    const both = await Promise.allSettled([facts.note('a'), facts.note('b')])
    expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    await expect(facts.note('c')).resolves.toBeUndefined()
  })
})

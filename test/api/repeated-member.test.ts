import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { repeatedMember } from '../../src/api/repeated-member.js'

describe('a member that an object has twice', () => {
  test.each([
    ['at the top', '{"a":1,"a":2}', 'a'],
    ['with the same value', '{"a":1,"a":1}', 'a'],
    ['with others between', '{"a":1,"b":{"a":[]},"a":2}', 'a'],
    ['spelt with escapes', String.raw`{"ab":1,"\u0061b":2}`, 'ab'],
    ['with blanks and lines between', '{ "a" :\n1 ,\t"a"\r: 2 }', 'a'],
    ['deeper', '{"a":{"b":{"c":1,"c":2}}}', 'a.b.c'],
    ['in an element of an array', '{"a":[{"b":1},{"b":1,"c":[1,2],"b":2}]}', 'a.1.b'],
    ['in an array at the top', '[0,[],{"a":1,"a":2}]', '2.a'],
    ['that has no name', '{"":1,"":2}', ''],
    ['after a text with quotation marks', String.raw`{"a":"\"","b":"\\","a":"\\\""}`, 'a'],
    ['after a text that looks like JSON', '{"a":"{\\"b\\":[","a":"]}"}', 'a'],
    ['named as what every object has', '{"toString":1,"toString":2}', 'toString'],
  ])('%s: is found', (_what, json, path) => {
    expect(JSON.parse(json)).toBeDefined()
    expect(repeatedMember(json)?.join('.')).toBe(path)
  })

  test.each([
    ['of another object', '{"a":{"a":1},"b":{"a":{"a":1}}}'],
    ['of each element', '[{"a":1},{"a":1}]'],
    ['that is a value, too', '{"a":"a","b":["a","a","b"],"c":"c"}'],
    ['in other letters', '{"a":1,"A":2,"а":3}'],
    ['in the text of a value', String.raw`{"a":",\"a\":1","b":"{\"b\":1,\"b\":2}"}`],
    ['of nothing', 'null'],
    ['of a text', String.raw`"a\"a,\"a"`],
    ['of a byte order mark and an object', '\uFEFF{"a":1}'],
  ])('%s: is none', (_what, json) => {
    expect(repeatedMember(json)).toBeUndefined()
  })

  test('of any value that was written as JSON: is none', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.nat(4), (value, blanks) => {
        expect(repeatedMember(JSON.stringify(value, null, blanks))).toBeUndefined()
      }),
    )
  })

  test('put into any object: is found', () => {
    const members = fc.dictionary(fc.string(), fc.jsonValue(), { minKeys: 1 })
    fc.assert(
      fc.property(members, fc.jsonValue(), fc.nat(), (object, value, pick) => {
        const names = Object.keys(object)
        const name = names[pick % names.length] ?? ''
        const written = `${JSON.stringify(object).slice(0, -1)},${JSON.stringify(name)}:`
        expect(repeatedMember(`${written}${JSON.stringify(value)}}`)).toEqual([name])
      }),
    )
  })

  test('below thousands of levels: is found', () => {
    const depth = 8_000
    const json = `${'{"a":['.repeat(depth)}{"b":1,"b":2}${']}'.repeat(depth)}`
    expect(repeatedMember(json)?.at(-1)).toBe('b')
  })
})

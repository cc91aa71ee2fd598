import fc from 'fast-check'
import { expect, test } from 'vitest'

import { readFlatXml } from '../../../src/sandbox/xml.js'
import { readXml, XmlError } from '../../../src/wechat/v2/xml.js'
import type { XmlRefusal } from '../../../src/wechat/v2/xml.js'

/**
 * Two readers, made by different people on different libraries, must agree on every document:
 * where one sees another amount than the other, somebody can be paid twice.
 */

const RUNS = 4_000

/** What only our reader refuses, on purpose: forms of XML that the channel never sends. */
const STRICTER: ReadonlySet<XmlRefusal> = new Set([
  'comment',
  'bad_name',
  'declaration',
  'wrong_root',
])

type Reading = ReadonlyMap<string, string> | XmlRefusal

function readOurs(document: string): Reading {
  try {
    return readXml(document)
  } catch (error) {
    if (error instanceof XmlError) return error.reason
    throw error
  }
}

function readTheirs(document: string): ReadonlyMap<string, string> | undefined {
  try {
    return readFlatXml(document)
  } catch {
    return undefined
  }
}

function expectAgreement(text: string): void {
  // Documents arrive as bytes, which cannot hold half of a surrogate pair.
  const document = Buffer.from(text, 'utf8').toString('utf8')
  const ours = readOurs(document)
  const theirs = readTheirs(document)
  if (typeof ours === 'string' && STRICTER.has(ours)) return
  expect(typeof ours === 'string' ? undefined : ours).toEqual(theirs)
}

const name = fc.constantFrom('a', 'b', 'total_fee', 'sign', 'a.b', 'a-b', '_', 'A1', 'constructor')
const blank = fc.constantFrom('', '', ' ', '\n', '\r\n', '\t ')
const reference = fc.constantFrom(
  '&lt;',
  '&gt;',
  '&amp;',
  '&quot;',
  '&apos;',
  '&#65;',
  '&#x4E2D;',
  '&#13;',
)
const plain = fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll(/[<&>\]]/g, ''))
const cdata = fc
  .array(fc.constantFrom('<', '>', '&', ']', ']]', '&amp;', '<b>', ' ', '\r\n', '支', '1'))
  .map((parts) => `<![CDATA[${parts.join('').replaceAll(']]>', '')}]]>`)
const value = fc.array(fc.oneof(plain, reference, cdata, blank), { maxLength: 4 })
const element = fc
  .tuple(name, value, blank)
  .map(([tag, parts, space]) => `<${tag}${space}>${parts.join('')}</${tag}${space}>`)
const declaration = fc.constantFrom(
  '',
  '',
  '<?xml version="1.0"?>',
  `<?xml version='1.0' encoding='utf-8' ?>\n`,
  '<?xml version="1.0" standalone="yes"?>',
)
const document = fc
  .tuple(declaration, fc.constantFrom('xml', 'root'), fc.array(fc.oneof(element, blank)), blank)
  .map(
    ([head, root, parts, space]) => `${head}<${root}>${parts.join('')}</${root}${space}>${space}`,
  )

/** Pieces that break a document, or make it say something else to a careless reader. */
const fragment = fc.constantFrom(
  '<',
  '>',
  '/',
  '&',
  ';',
  ']]>',
  ']]',
  '<![CDATA[',
  '<!--',
  '-->',
  '--',
  '<?',
  '?>',
  '<?x ?>',
  '"',
  "'",
  '<!DOCTYPE a>',
  '<!ENTITY',
  '<a>',
  '</a>',
  '<a/>',
  '<b x="1">',
  ' x="1"',
  '=',
  '\0',
  '\u0008',
  '\u0085',
  '\uFEFF',
  '\uFFFE',
  '\u00A0',
  '\u2028',
  '&#0;',
  '&#xD800;',
  '&#x110000;',
  '&#X41;',
  '&nbsp;',
  '&#;',
  '&lt',
  'é',
  ':',
  '</xml>',
  '<xml>',
  '\r',
  '1',
)
const mutation = fc.record({ at: fc.nat(), drop: fc.nat({ max: 3 }), insert: fc.option(fragment) })

const mutated = fc
  .tuple(document, fc.array(mutation, { minLength: 1, maxLength: 3 }))
  .map(([text, mutations]) =>
    mutations.reduce((current, { at, drop, insert }) => {
      const index = at % (current.length + 1)
      return current.slice(0, index) + (insert ?? '') + current.slice(index + drop)
    }, text),
  )

test('two readers: they agree on well-formed documents', () => {
  let accepted = 0
  fc.assert(
    fc.property(document, (text) => {
      if (typeof readOurs(text) !== 'string') accepted += 1
      expectAgreement(text)
    }),
    { numRuns: RUNS },
  )
  // A generator that makes nothing acceptable would prove nothing.
  expect(accepted).toBeGreaterThan(RUNS / 10)
})

test('two readers: they agree on documents with one to three mutations', () => {
  let accepted = 0
  fc.assert(
    fc.property(mutated, (text) => {
      if (typeof readOurs(text) !== 'string') accepted += 1
      expectAgreement(text)
    }),
    { numRuns: RUNS },
  )
  // About one in thirty-four is still a document; chance alone never brings that down so far.
  expect(accepted).toBeGreaterThan(RUNS / 100)
  expect(accepted).toBeLessThan(RUNS)
})

test('two readers: they agree on loose pieces', () => {
  const pieces = fc.array(fc.oneof(element, fragment, blank), { maxLength: 6 })
  fc.assert(
    fc.property(pieces, (parts) => expectAgreement(`<xml>${parts.join('')}</xml>`)),
    {
      numRuns: RUNS,
    },
  )
})

import type { Random } from '../../db/support/random.js'
import { NASTY_TEXTS } from './mutations.js'

/** Documents made by the grammar of XML, also of the parts that no message of WeChat Pay has. */

const NAMES = [
  'xml',
  'root',
  'sign',
  'mch_id',
  'appid',
  'total_fee',
  'out_trade_no',
  'req_info',
  'a',
  'a:b',
  '__proto__',
  'constructor',
  'toString',
  '-x',
  '1',
  'é',
  'x'.repeat(500),
]

type Maker = (random: Random, depth: number) => string

const many = (random: Random, bound: number, make: () => string): string =>
  Array.from({ length: random.below(bound) }, make).join('')

const text: Maker = (random) => random.pick(NASTY_TEXTS).replaceAll(/[<&]/g, '')
const reference: Maker = (random) =>
  random.pick(['&lt;', '&amp;', '&#65;', '&#x4E2D;', '&#0;', '&#99999999;', '&e;', '&', '&#x;'])
const cdata: Maker = (random) =>
  `<![CDATA[${random.pick(NASTY_TEXTS)}${random.pick([']]>', ']]>', ']]>', ']]', ''])}`
const comment: Maker = (random) => `<!--${random.pick(NASTY_TEXTS)}${random.pick(['-->', '--'])}`
const instruction: Maker = (random) => `<?php ${random.pick(NASTY_TEXTS)}?>`
const attribute = (random: Random): string =>
  random.pick(['', '', '', ' a="1"', " a='<'", ' a=1', ' xmlns="x"', ' a="&e;"', ' '])

const element: Maker = (random, depth) => {
  const name = random.pick(NAMES)
  const inside = many(random, depth > 5 ? 1 : 4, () => random.pick(CONTENT)(random, depth + 1))
  const end = random.pick([`</${name}>`, `</${name}>`, `</${name}>`, '', `</${name} >`, '/>'])
  return `<${name}${attribute(random)}>${inside}${end}`
}

const CONTENT: readonly Maker[] = [
  element,
  element,
  text,
  text,
  cdata,
  cdata,
  reference,
  comment,
  instruction,
]

const DTDS = [
  '<!DOCTYPE xml [<!ENTITY e SYSTEM "file:///etc/passwd">]>',
  '<!DOCTYPE xml [<!ENTITY e "ha"><!ENTITY f "&e;&e;&e;&e;"><!ENTITY g "&f;&f;&f;&f;">]>',
  '<!DOCTYPE xml SYSTEM "http://127.0.0.1:1/x.dtd">',
  '<!DOCTYPE xml [<!ENTITY % p SYSTEM "http://127.0.0.1:1/"> %p;]>',
]

const prolog = (random: Random): string =>
  random.pick([
    '',
    '',
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<?xml version="1.1"?>',
    '<?xml version="1.0" encoding="UTF-16"?>',
    '\uFEFF',
    random.pick(DTDS),
  ])

const numbered = (count: number): string =>
  Array.from({ length: count }, (_, index) => `<a${index}></a${index}>`).join('')

/** What is large, deep or long in one way, as far as a reader lets it come. */
export const EXTREMES: readonly ((size: number) => string)[] = [
  (size) => '<a>'.repeat(size / 3),
  (size) => `<xml>${'<a>'.repeat(size / 8)}${'</a>'.repeat(size / 8)}</xml>`,
  (size) => `<xml>${'<a></a>'.repeat(size / 7)}</xml>`,
  (size) => `<xml ${'a="1" '.repeat(size / 6)}></xml>`,
  (size) => `<${'a'.repeat(size)}`,
  (size) => `<xml><a>${'&lt;'.repeat(size / 4)}</a></xml>`,
  (size) => `<xml><a>${'&'.repeat(size)}</a></xml>`,
  (size) => `<xml><a>${'<![CDATA['.repeat(size / 9)}</a></xml>`,
  (size) => `<xml><a>${'<![CDATA[]]>'.repeat(size / 12)}</a></xml>`,
  (size) => `<xml><a>${']]'.repeat(size / 2)}</a></xml>`,
  (size) => '<'.repeat(size),
  (size) => '<!--'.repeat(size / 4),
  (size) => '<?'.repeat(size / 2),
  (size) => `<?xml version="1.0"${' '.repeat(size)}`,
  (size) => ' '.repeat(size),
  (size) => `<xml>${'\n'.repeat(size)}</xml>`,
  (size) => `<!DOCTYPE ${'['.repeat(size)}`,
  (size) => `</${'a '.repeat(size / 2)}`,
  (size) => `<xml><a${' '.repeat(size)}x></a></xml>`,
  (size) => `<xml>${numbered(size / 14)}</xml>`,
]

const SIZES = [1_000, 16_000, 60_000, 64 * 1024, 70_000]

export const extremeXml = (random: Random): string => random.pick(EXTREMES)(random.pick(SIZES))

export function grammarXml(random: Random): string {
  const body = many(random, 12, () => random.pick(CONTENT)(random, 0))
  const root = random.pick(['xml', 'xml', 'root', 'html'])
  return `${prolog(random)}<${root}${attribute(random)}>${body}</${root}>`
}

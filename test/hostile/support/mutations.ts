import type { Random } from '../../db/support/random.js'

/** Ways to spoil a text or a document, each drawn from a seeded generator. */

/** Values that programs have stumbled over. */
export const NASTY_TEXTS: readonly string[] = [
  '',
  ' ',
  '0',
  '-1',
  '-0',
  '1e5',
  '1E309',
  '0x10',
  '00012',
  '+1',
  '1.5',
  '1,000',
  '9007199254740993',
  '99999999999999999999999999',
  'NaN',
  'null',
  'true',
  '１２３',
  "' or 1=1 --",
  '"; drop table payments; --',
  '$(id)',
  '${jndi:ldap://127.0.0.1/a}',
  '../../etc/passwd',
  '%00',
  '\0',
  '\u0008\u001B[2J',
  '\uFEFF',
  '\u202Eevil',
  '\uD800',
  '𝟙💥',
  'é'.repeat(40),
  '&amp;',
  ']]>',
  '<b>',
  '<![CDATA[x]]>',
  '&#0;',
  '&#xD800;',
  '__proto__',
  'constructor',
  'SUCCESS',
  'FAIL',
  'A'.repeat(300),
  'A'.repeat(5_000),
]

const NASTY_BYTES: readonly number[] = [0x00, 0x09, 0x0a, 0x0d, 0x20, 0x22, 0x26, 0x27, 0x2f]
const NASTY_HIGH_BYTES: readonly number[] = [0x3c, 0x3e, 0x5b, 0x5d, 0x7f, 0x80, 0xbf, 0xc0, 0xed]

/** One to four small changes of the bytes themselves. */
export function mutateBytes(random: Random, bytes: Buffer): Buffer {
  let mutated = bytes
  const count = 1 + random.below(4)
  for (let n = 0; n < count; n += 1) mutated = random.pick(BYTE_MUTATIONS)(random, mutated)
  return mutated
}

type BytesMutation = (random: Random, bytes: Buffer) => Buffer

const spliced = (bytes: Buffer, at: number, dropped: number, inserted: Uint8Array): Buffer =>
  Buffer.concat([bytes.subarray(0, at), inserted, bytes.subarray(at + dropped)])

const anyByte = (random: Random): number =>
  random.pick([random.pick(NASTY_BYTES), random.pick(NASTY_HIGH_BYTES), random.below(256)])

const BYTE_MUTATIONS: readonly BytesMutation[] = [
  // a bit turns
  (random, bytes) => {
    const at = random.below(bytes.length + 1)
    const byte = (bytes[at] ?? 0) ^ (1 << random.below(8))
    return spliced(bytes, at, 1, Buffer.of(byte))
  },
  // a byte is another
  (random, bytes) => spliced(bytes, random.below(bytes.length + 1), 1, Buffer.of(anyByte(random))),
  // bytes come in
  (random, bytes) => {
    const inserted = Buffer.alloc(1 + random.below(8), anyByte(random))
    return spliced(bytes, random.below(bytes.length + 1), 0, inserted)
  },
  // bytes get lost
  (random, bytes) =>
    spliced(bytes, random.below(bytes.length + 1), 1 + random.below(16), Buffer.of()),
  // a part comes twice
  (random, bytes) => {
    const from = random.below(bytes.length + 1)
    const part = bytes.subarray(from, from + 1 + random.below(200))
    return spliced(bytes, random.below(bytes.length + 1), 0, part)
  },
  // it breaks off
  (random, bytes) => bytes.subarray(0, random.below(bytes.length + 1)),
  // a text that programs stumble over
  (random, bytes) => {
    const text = Buffer.from(random.pick(NASTY_TEXTS), 'utf8')
    return spliced(bytes, random.below(bytes.length + 1), random.below(4), text)
  },
]

/** Fields with one to three of them changed, renamed, dropped or added. */
export function mutateFields(
  random: Random,
  fields: Readonly<Record<string, string>>,
): [name: string, value: string][] {
  const entries: [string, string][] = Object.entries(fields)
  const count = 1 + random.below(3)
  for (let n = 0; n < count; n += 1) {
    const at = random.below(entries.length + 1)
    const [name = 'extra', value = ''] = entries[at] ?? []
    const nasty = random.pick(NASTY_TEXTS)
    const changed = random.pick<[string, string] | null>([
      [name, nasty],
      [name, value + nasty],
      [name.toUpperCase(), value],
      [`x${random.below(9)}`, nasty],
      null,
    ])
    entries.splice(at, 1, ...(changed === null ? [] : [changed]))
  }
  return entries
}

/** Any JSON value, with what readers of JSON have stumbled over in it. */
export function nastyJson(random: Random, depth = 0): unknown {
  const simple = [
    null,
    true,
    false,
    0,
    -1,
    1.5,
    1e21,
    -1e308,
    Number.MAX_SAFE_INTEGER,
    Number.MIN_VALUE,
    random.pick(NASTY_TEXTS),
    random.pick(NASTY_TEXTS),
  ]
  const choice = random.below(depth > 3 ? simple.length : simple.length + 4)
  if (choice < simple.length) return simple[choice]
  const size = random.below(4)
  const values = Array.from({ length: size }, () => nastyJson(random, depth + 1))
  if (choice === simple.length) return values
  return Object.fromEntries(values.map((value) => [random.pick(NASTY_TEXTS), value]))
}

/** A JSON text with one to three values or members of it replaced, or its very text spoilt. */
export function mutateJson(random: Random, sample: unknown): string {
  let value = structuredClone(sample)
  const count = 1 + random.below(3)
  for (let n = 0; n < count; n += 1) value = mutateValue(random, value)
  const text = JSON.stringify(value) ?? ''
  return random.pick(JSON_TEXTS)(random, text)
}

function mutateValue(random: Random, value: unknown): unknown {
  if (value === null || typeof value !== 'object' || random.below(6) === 0) return nastyJson(random)
  if (Array.isArray(value)) {
    const at = random.below(value.length + 1)
    return value.toSpliced(at, random.below(2), mutateValue(random, value[at] ?? null))
  }
  const members = Object.entries(value)
  const at = random.below(members.length + 1)
  const [name = random.pick(NASTY_TEXTS), old = null] = members[at] ?? []
  const changed: [string, unknown][] = [
    [random.pick([name, name, name, random.pick(NASTY_TEXTS)]), mutateValue(random, old)],
  ]
  return Object.fromEntries(members.toSpliced(at, 1, ...(random.below(5) === 0 ? [] : changed)))
}

const same = (_random: Random, text: string): string => text

const JSON_TEXTS: readonly ((random: Random, text: string) => string)[] = [
  same,
  same,
  same,
  // a member twice, of which the last or the first may count
  (_random, text) => text.replace(/^\{("[^"]*"):/, '{$1:1,$1:'),
  (_random, text) => text.replace(/^\{/, '{"__proto__":{"isAdmin":true},'),
  (_random, text) => text.replace(/^\{/, '{"constructor":{"prototype":{"isAdmin":true}},'),
  (random, text) => {
    const depth = 1 + random.below(8_000)
    return `${'['.repeat(depth)}${text}${random.below(2) === 0 ? ']'.repeat(depth) : ''}`
  },
  (random, text) => `${'{"a":'.repeat(1 + random.below(4_000))}${text}`,
  (random, text) => mutateBytes(random, Buffer.from(text)).toString('latin1'),
  (random, text) => text.replace(/\d+/, '9'.repeat(1 + random.below(400))),
  (random, text) => `${text}${random.pick([' ', '}', 'null', '\0', ','])}`,
  (_random, text) => `\uFEFF${text}`,
]

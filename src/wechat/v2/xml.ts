import { XMLParser } from 'fast-xml-parser'

/** Why a document was refused. The codes are stable: they are logged and counted. */
export type XmlRefusal =
  | 'too_large'
  | 'not_utf8'
  | 'forbidden_character'
  | 'declaration'
  | 'doctype'
  | 'processing_instruction'
  | 'comment'
  | 'attribute'
  | 'bad_name'
  | 'bad_reference'
  | 'cdata_end_in_text'
  | 'malformed'
  | 'wrong_root'
  | 'stray_text'
  | 'nested'
  | 'duplicate'

/** A document the strict reader refuses. The message never holds any of its content. */
export class XmlError extends Error {
  override readonly name = 'XmlError'
  readonly reason: XmlRefusal

  constructor(reason: XmlRefusal) {
    super(`The XML document is refused: ${reason}.`)
    this.reason = reason
  }
}

export interface XmlReadOptions {
  /** Largest document in bytes of UTF-8; 64 KiB unless given. */
  readonly bytesMax?: number
  /** Accepted names of the root element; `xml` and `root` unless given. */
  readonly roots?: readonly string[]
}

export const XML_BYTES_MAX = 64 * 1024

const NAME = '[A-Za-z_][A-Za-z0-9_.-]*'
const SPACE = '[ \\t\\r\\n]'
const TAG_PATTERN = new RegExp(`^(?:/${NAME}${SPACE}*|${NAME}${SPACE}*/?)$`)
const ATTRIBUTE_PATTERN = new RegExp(`^${NAME}${SPACE}+[^\\s/]`)
const NAME_PATTERN = new RegExp(`^/?${NAME}(?:[\\s/]|$)`)
const DECLARATION_PATTERN = new RegExp(
  `^<\\?xml${SPACE}+version${SPACE}*=${SPACE}*(["'])1\\.0\\1` +
    `(?:${SPACE}+encoding${SPACE}*=${SPACE}*(["'])utf-8\\2)?` +
    `(?:${SPACE}+standalone${SPACE}*=${SPACE}*(["'])(?:yes|no)\\3)?${SPACE}*\\?>`,
  'i',
)
const DECLARATION_START_PATTERN = /^<\?xml[\s?]/
const CDATA_START = '<![CDATA['
const CDATA_END = ']]>'
const BLANK_PATTERN = /^[ \t\r\n]*$/
/** Everything that XML 1.0 forbids in a document: control characters and lone surrogates. */
const FORBIDDEN_PATTERN = /[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/u
const REFERENCE_PATTERN = /&(?:#x([0-9a-fA-F]+)|#([0-9]+)|(amp|lt|gt|quot|apos));|&/g

const PREDEFINED: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
}

/** Names the library renames or trips over, because they are properties of every object. */
const RESERVED_NAMES: ReadonlySet<string> = new Set([
  '__proto__',
  'constructor',
  'prototype',
  ...Object.getOwnPropertyNames(Object.prototype),
])

/**
 * Stands for a CDATA section while the markup around it is checked. The character is forbidden in
 * XML, so no document can hold it.
 */
const CDATA_MARK = '\0'

const TEXT = '#text'
const CDATA = '#cdata'

/**
 * The library keeps order, so that duplicates and stray text stay visible, and decodes nothing:
 * references are decoded here, in text and never in CDATA.
 */
const parser = new XMLParser({
  preserveOrder: true,
  cdataPropName: CDATA,
  textNodeName: TEXT,
  parseTagValue: false,
  trimValues: false,
  processEntities: false,
  ignoreAttributes: false,
  ignoreDeclaration: false,
  ignorePiTags: false,
})

/**
 * Reads the one shape that WeChat Pay V2 uses: a root element with text elements, each once. What
 * XML allows beyond that (a DTD, entities, processing instructions, comments, attributes, nesting)
 * is refused, since a message that two readers may understand differently cannot be trusted.
 *
 * @returns the elements' texts by name, in the order of the document.
 * @throws XmlError with the reason, and nothing else whatever the input is.
 */
export function readXml(
  input: string | Uint8Array,
  options: XmlReadOptions = {},
): Map<string, string> {
  const text = decode(input, options.bytesMax ?? XML_BYTES_MAX)
  if (FORBIDDEN_PATTERN.test(text)) throw new XmlError('forbidden_character')
  const body = dropDeclaration(text)
  checkMarkup(body)
  return fieldsOf(parse(body), options.roots ?? ['xml', 'root'])
}

function decode(input: string | Uint8Array, bytesMax: number): string {
  if (byteLength(input) > bytesMax) throw new XmlError('too_large')
  if (typeof input === 'string') return input.startsWith('\uFEFF') ? input.slice(1) : input
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(input)
  } catch {
    throw new XmlError('not_utf8')
  }
}

function byteLength(input: string | Uint8Array): number {
  return typeof input === 'string' ? Buffer.byteLength(input, 'utf8') : input.byteLength
}

/** One declaration may stand at the very start; a later one is a processing instruction. */
function dropDeclaration(text: string): string {
  if (!DECLARATION_START_PATTERN.test(text)) return text
  const declaration = DECLARATION_PATTERN.exec(text)
  if (declaration === null) throw new XmlError('declaration')
  return text.slice(declaration[0].length)
}

/** Scans the raw text for what the library would take or drop without a word. */
function checkMarkup(text: string): void {
  const markup = withoutCdata(text)
  // A comment may hold what looks like the others, so it is named first.
  if (markup.includes('<!--')) throw new XmlError('comment')
  if (markup.includes('<!DOCTYPE')) throw new XmlError('doctype')
  if (markup.includes('<?')) throw new XmlError('processing_instruction')
  for (const [, tag = ''] of markup.matchAll(/<([^<>]*)>?/g)) checkTag(tag)
  const parts = markup.split(/<[^<>]*>/)
  checkOutside(parts[0] ?? '')
  checkOutside(parts.at(-1) ?? '')
  for (const part of parts) {
    if (part.includes(']]>')) throw new XmlError('cdata_end_in_text')
    decodeReferences(part)
  }
}

/**
 * Searched by hand: a pattern would look to the end of the text for each of many beginnings, which
 * takes seconds where none of them ends.
 */
function withoutCdata(text: string): string {
  const parts: string[] = []
  let at = 0
  for (;;) {
    const start = text.indexOf(CDATA_START, at)
    const end = start < 0 ? -1 : text.indexOf(CDATA_END, start + CDATA_START.length)
    if (end < 0) return parts.join('') + text.slice(at)
    parts.push(text.slice(at, start), CDATA_MARK)
    at = end + CDATA_END.length
  }
}

/** The library drops a late byte order mark before the root and a reference after it. */
function checkOutside(text: string): void {
  // What holds a bracket is a broken tag, not text, and the library refuses it.
  if (!BLANK_PATTERN.test(text) && !text.includes('<')) throw new XmlError('stray_text')
}

function checkTag(tag: string): void {
  if (!TAG_PATTERN.test(tag)) {
    if (ATTRIBUTE_PATTERN.test(tag)) throw new XmlError('attribute')
    throw new XmlError(NAME_PATTERN.test(tag) || tag.startsWith('!') ? 'malformed' : 'bad_name')
  }
  if (RESERVED_NAMES.has(tag.replaceAll(/[/\s]/g, ''))) throw new XmlError('bad_name')
}

function parse(text: string): readonly unknown[] {
  try {
    const nodes: unknown = parser.parse(text, true)
    if (Array.isArray(nodes)) return nodes
  } catch {
    // The library's message quotes the document, so it is dropped.
  }
  throw new XmlError('malformed')
}

function fieldsOf(nodes: readonly unknown[], roots: readonly string[]): Map<string, string> {
  const elements = elementsAmong(nodes)
  const [root] = elements
  if (root === undefined || elements.length > 1) throw new XmlError('malformed')
  if (!roots.includes(root.name)) throw new XmlError('wrong_root')
  const fields = new Map<string, string>()
  for (const { name, children } of elementsAmong(root.children)) {
    if (fields.has(name)) throw new XmlError('duplicate')
    fields.set(name, textOf(children))
  }
  return fields
}

interface XmlElement {
  readonly name: string
  readonly children: readonly unknown[]
}

/** The elements of a level where only elements and blanks may stand. */
function elementsAmong(nodes: readonly unknown[]): XmlElement[] {
  return nodes.flatMap((node) => {
    const { name, content } = entryOf(node)
    if (name === CDATA) throw new XmlError('stray_text')
    if (name !== TEXT) return [{ name, children: listOf(content) }]
    if (!BLANK_PATTERN.test(stringOf(content))) throw new XmlError('stray_text')
    return []
  })
}

/** The text of an element that may hold text and CDATA sections only. */
function textOf(nodes: readonly unknown[]): string {
  return nodes
    .map((node) => {
      const { name, content } = entryOf(node)
      if (name === TEXT) return decodeReferences(stringOf(content))
      if (name === CDATA) return rawTextOf(listOf(content))
      throw new XmlError('nested')
    })
    .join('')
}

function rawTextOf(nodes: readonly unknown[]): string {
  return nodes.map((node) => stringOf(entryOf(node).content)).join('')
}

/** A node of the library is an object with one member; a second one holds attributes. */
function entryOf(node: unknown): { name: string; content: unknown } {
  if (typeof node !== 'object' || node === null) throw new XmlError('malformed')
  const [entry, ...others] = Object.entries(node)
  if (entry === undefined || others.length > 0) throw new XmlError('malformed')
  return { name: entry[0], content: entry[1] }
}

function listOf(content: unknown): readonly unknown[] {
  if (!Array.isArray(content)) throw new XmlError('malformed')
  return content
}

function stringOf(content: unknown): string {
  if (typeof content !== 'string') throw new XmlError('malformed')
  return content
}

function decodeReferences(text: string): string {
  return text.replaceAll(REFERENCE_PATTERN, (_, hex?: string, decimal?: string, name?: string) => {
    if (name !== undefined) return PREDEFINED[name] ?? ''
    if (hex !== undefined) return characterOf(Number.parseInt(hex, 16))
    if (decimal !== undefined) return characterOf(Number.parseInt(decimal, 10))
    throw new XmlError('bad_reference')
  })
}

function characterOf(codePoint: number): string {
  if (codePoint > 0x10ffff) throw new XmlError('bad_reference')
  const character = String.fromCodePoint(codePoint)
  if (FORBIDDEN_PATTERN.test(character)) throw new XmlError('bad_reference')
  return character
}

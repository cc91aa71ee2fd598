import { SaxesParser } from 'saxes'

/** Thrown when a document is not the flat kind of XML that WeChat Pay V2 speaks. */
export class XmlRefusedError extends Error {
  override readonly name = 'XmlRefusedError'
}

const BLANK = /^[ \t\r\n]*$/

/**
 * Reads a flat document: one root element, children that hold text only. Refused are a DTD,
 * processing instructions, attributes, nesting, duplicates, stray text, unknown entities and
 * whatever is not well-formed.
 *
 * @throws XmlRefusedError
 */
export function readFlatXml(text: string): Map<string, string> {
  const reader = new FlatReader()
  try {
    reader.read(text)
  } catch (error) {
    if (error instanceof XmlRefusedError) throw error
    throw new XmlRefusedError(error instanceof Error ? error.message : 'not well-formed')
  }
  return reader.fields
}

class FlatReader {
  readonly fields = new Map<string, string>()
  #depth = 0
  #value = ''

  read(text: string): void {
    const parser = new SaxesParser()
    parser.on('doctype', () => refuse('a document type is not allowed'))
    parser.on('processinginstruction', () => refuse('processing instructions are not allowed'))
    parser.on('attribute', () => refuse('attributes are not allowed'))
    parser.on('opentag', (tag) => this.#open(tag.name))
    parser.on('closetag', (tag) => this.#close(tag.name))
    parser.on('text', (part) => this.#text(part, BLANK.test(part)))
    parser.on('cdata', (part) => this.#text(part, false))
    parser.write(text).close()
  }

  #open(name: string): void {
    this.#depth += 1
    if (this.#depth > 2) refuse('elements are nested too deeply')
    if (this.#depth === 2 && this.fields.has(name)) refuse('an element is given twice')
    this.#value = ''
  }

  #close(name: string): void {
    if (this.#depth === 2) this.fields.set(name, this.#value)
    this.#depth -= 1
  }

  #text(part: string, isBlank: boolean): void {
    if (this.#depth === 2) this.#value += part
    else if (!isBlank) refuse('text stands between the elements')
  }
}

function refuse(reason: string): never {
  throw new XmlRefusedError(reason)
}

/** Writes a flat document; values are CDATA except short numbers, empty values are left out. */
export function writeFlatXml(fields: Readonly<Record<string, string>>, root = 'xml'): string {
  let text = `<${root}>`
  for (const [name, value] of Object.entries(fields)) {
    if (value !== '') text += `<${name}>${writeValue(value)}</${name}>`
  }
  return `${text}</${root}>`
}

function writeValue(value: string): string {
  if (/^\d{1,10}$/.test(value)) return value
  return `<![CDATA[${value.replaceAll(']]>', ']]]]><![CDATA[>')}]]>`
}

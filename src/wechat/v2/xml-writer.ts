const NAME_PATTERN = /^[A-Za-z_][A-Za-z0-9_.-]*$/
const FORBIDDEN_PATTERN = /[^\t\n\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu
const SURROGATE_PATTERN = /^[\u{D800}-\u{DFFF}]$/u

/**
 * Makes any text safe for XML, so that a reader gets back exactly what this returns: control
 * characters go, a lone surrogate becomes U+FFFD, and line ends become the line feed that every
 * XML reader turns them into anyway. Text must pass here before it is signed.
 */
export function xmlText(value: string): string {
  return value
    .replaceAll(/\r\n?/g, '\n')
    .replaceAll(FORBIDDEN_PATTERN, (character) =>
      SURROGATE_PATTERN.test(character) ? '\uFFFD' : '',
    )
}

/** Cuts a text to a number of UTF-8 bytes without splitting a character. */
export function cutUtf8(value: string, bytesMax: number): string {
  let bytes = 0
  let kept = ''
  for (const character of value) {
    bytes += Buffer.byteLength(character, 'utf8')
    if (bytes > bytesMax) break
    kept += character
  }
  return kept
}

/**
 * Writes fields as the flat document of V2, each value in CDATA.
 * @throws TypeError when a field's name is not an XML name: names are ours, values may be anything.
 */
export function writeXml(fields: Iterable<readonly [string, string]>): string {
  const elements = [...fields].map(([name, value]) => {
    if (!NAME_PATTERN.test(name)) throw new TypeError(`"${name}" is not a name of an XML element.`)
    return `<${name}><![CDATA[${escapeCdata(xmlText(value))}]]></${name}>`
  })
  return `<xml>${elements.join('')}</xml>`
}

/** The end mark inside a text is split over two sections: that is the only way to write it. */
function escapeCdata(text: string): string {
  return text.replaceAll(']]>', ']]]]><![CDATA[>')
}
